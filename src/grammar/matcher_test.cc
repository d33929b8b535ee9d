// Masks against one-by-one acceptance, over grammars of every kind.
#include "grammar/matcher.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "grammar/test_sampling.h"
#include "grammar/test_schemas.h"
#include "text/test_metadata.h"

namespace heft::grammar {
namespace {

using testing::has_bit;

Grammar gbnf(std::string_view source) {
    auto grammar = Grammar::from_gbnf(source);
    EXPECT_TRUE(grammar) << source << grammar.error().what;
    return std::move(*grammar);
}

// Walks a random text and asks for every token at every place.
void expect_masks_tell(const std::shared_ptr<Constraint>& constraint, Rng& rng, int steps,
                       const std::string& what) {
    Matcher matcher(constraint);
    const Vocabulary& words = matcher.vocabulary();
    std::vector<std::uint64_t> bits(words.mask_words());
    for (int n = 0; n < steps; ++n) {
        matcher.fill_mask(bits);
        std::vector<TokenId> allowed;
        for (TokenId id = 0; id < words.size(); ++id) {
            Matcher copy = matcher;
            ASSERT_EQ(copy.accept(id), has_bit(bits, id))
                << what << ": token '" << words.bytes_of(id) << "' at step " << n;
            if (has_bit(bits, id)) allowed.push_back(id);
        }
        ASSERT_FALSE(allowed.empty()) << what;
        ASSERT_EQ(matcher.can_end(), has_bit(bits, words.end_of_generation()[0]));
        ASSERT_EQ(matcher.must_end() && matcher.can_end(),
                  matcher.can_end() && allowed.size() == 1);
        ASSERT_TRUE(matcher.accept(allowed[rng.next() % allowed.size()]));
        if (matcher.ended()) return;
    }
}

const std::vector<const char*> kGrammars = {
    "root ::= root \"+\" root | [0-9]",                           // ambiguous, left recursive
    "root ::= \"a\" root \"b\" | ",                               // counts
    "root ::= item root | item\nitem ::= [a-z]+ \",\" ",          // right recursive
    "root ::= a | b\na ::= \"id\" a?\nb ::= \"id\" b? \"name\"",  // undecided for long
    "root ::= ([^\"\\\\] | \"\\\\\" .){3,60} \"\\n\"",            // counted, over many bytes
    "root ::= [a1]{40,200} (\"abc\" | \"é\" | \"日\")*",          // far from its bounds
    "root ::= x x x\nx ::= y?\ny ::= x \"a\" | \"foo\"",          // empty rules, hidden recursion
    "root ::= \"\"",
};

TEST(Matcher, MaskIsWhatAcceptSays) {
    const auto words = testing::vocabulary_of(testing::json_pieces());
    Rng rng(1);
    for (const char* source : kGrammars)
        for (int i = 0; i < 3; ++i)
            expect_masks_tell(Constraint::make(gbnf(source), words), rng, 60, source);
    testing::RandomSchemas schemas(5);
    for (int i = 0; i < 60; ++i) {
        const auto schema = schemas.next();
        const auto grammar = Grammar::from_json_schema(schema);
        ASSERT_TRUE(grammar) << grammar.error().what;
        expect_masks_tell(Constraint::make(*grammar, words), rng, 40, schema.dump());
    }
}

TEST(Matcher, DrawnTextsAreJson) {
    const auto words = testing::vocabulary_of(testing::json_pieces());
    testing::RandomSchemas schemas(11);
    Rng rng(11);
    for (int i = 0; i < 100; ++i) {
        const auto grammar = Grammar::from_json_schema(schemas.next());
        ASSERT_TRUE(grammar);
        const auto text = testing::draw_text(Matcher(Constraint::make(*grammar, words)), rng);
        if (!text) continue;
        EXPECT_TRUE(nlohmann::json::accept(*text)) << *text;
        EXPECT_TRUE(grammar->matches(*text)) << *text;
    }
}

TEST(Matcher, MovesOnWhenItsMasksAreFull) {
    const auto words = testing::vocabulary_of(testing::json_pieces());
    const auto tight = Constraint::make(Grammar::any_json_value(), words, {20, 4096});
    const auto roomy = Constraint::make(Grammar::any_json_value(), words);
    const std::string text = R"({"a":[1,{"b":[[],"x\n",null,{"c":-1.5e3}]}],"d":"é日"})";
    Matcher one(tight), other(roomy);
    std::vector<std::uint64_t> a(words->mask_words()), b(words->mask_words());
    for (const char byte : text) {
        one.fill_mask(a);
        other.fill_mask(b);
        ASSERT_EQ(a, b);
        ASSERT_TRUE(one.accept_bytes({&byte, 1}));
        ASSERT_TRUE(other.accept_bytes({&byte, 1}));
    }
    EXPECT_TRUE(one.can_end());
    EXPECT_TRUE(one.must_end());
}

TEST(Matcher, ThreadsShareAConstraint) {
    const auto words = testing::vocabulary_of(testing::json_pieces());
    const auto shared = Constraint::make(Grammar::any_json_object(), words, {200, 65536});
    std::vector<std::thread> threads;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        threads.emplace_back([&shared, seed] {
            Rng rng(seed);
            for (int i = 0; i < 10; ++i) {
                const auto text = testing::draw_text(Matcher(shared), rng, 400);
                EXPECT_TRUE(!text || nlohmann::json::accept(*text)) << text.value_or("");
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST(Matcher, RefusedTokensChangeNothingAndTheEndIsFinal) {
    const auto words = testing::vocabulary_of({});
    Matcher matcher(Constraint::make(gbnf("root ::= \"ab\""), words));
    const TokenId end = words->end_of_generation()[0];
    EXPECT_EQ(matcher.forced(), "ab");
    EXPECT_FALSE(matcher.accept('b'));
    EXPECT_FALSE(matcher.accept(end));
    EXPECT_FALSE(matcher.accept(-1));
    EXPECT_FALSE(matcher.accept(words->size()));
    EXPECT_TRUE(matcher.accept('a'));
    const Matcher before = matcher;
    EXPECT_FALSE(matcher.accept_bytes("bx"));
    EXPECT_TRUE(matcher.accept('b'));
    EXPECT_TRUE(matcher.must_end());
    EXPECT_FALSE(before.can_end());
    EXPECT_TRUE(matcher.accept(end));
    EXPECT_FALSE(matcher.accept(end));
    std::vector<std::uint64_t> bits(words->mask_words(), ~std::uint64_t{0});
    matcher.fill_mask(bits);
    for (const std::uint64_t word : bits) EXPECT_EQ(word, 0U);
}

TEST(Matcher, NestingIsBounded) {
    const Grammar grammar = Grammar::any_json_value();
    EXPECT_TRUE(grammar.matches(std::string(100, '[') + std::string(100, ']')));
    EXPECT_FALSE(grammar.begins(std::string(5000, '[')));
}

TEST(Gbnf, PublishedGrammars) {
    const auto folder = heft::testing::shared_data() / "real" / "grammars";
    HEFT_NEED_SHARED(folder);
    int n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream file(entry.path());
        const std::string source((std::istreambuf_iterator<char>(file)), {});
        const auto grammar = Grammar::from_gbnf(source);
        EXPECT_TRUE(grammar) << entry.path() << grammar.error().what;
        ++n;
    }
    EXPECT_GT(n, 5);
}

TEST(Gbnf, ErrorsNameTheLine) {
    const std::vector<std::pair<const char*, const char*>> cases = {
        {"", "no rule called 'root'"},
        {"root ::= x", "'x' is used but not defined"},
        {"root ::= \"a\"\nroot ::= \"b\"", "line 2: the rule 'root' is defined twice"},
        {"root ::= (\"a\"", "not closed"},
        {"root ::= [a", "not closed"},
        {"root ::= \"a", "not closed"},
        {"root ::= \"a\" }", "line 1"},
        {"root ::= \"a\"{3,1}", "no proper end"},
        {"root = \"a\"", "'::='"},
        {"root ::= root \"a\"", "matches no text"},
        {"root ::= [a-z]{999999}", "states"},
        {"root ::= \"\xFF\"", "UTF-8"},
    };
    for (const auto& [source, what] : cases) {
        const auto grammar = Grammar::from_gbnf(source);
        ASSERT_FALSE(grammar) << source;
        EXPECT_NE(grammar.error().what.find(what), std::string::npos) << grammar.error().what;
    }
}

TEST(Regex, IsTheWholeText) {
    const auto grammar = Grammar::from_regex("(?:a|b)+?[^0-9]{2}\\u{1F600}?");
    ASSERT_TRUE(grammar) << grammar.error().what;
    EXPECT_TRUE(grammar->matches("abxy"));
    EXPECT_TRUE(grammar->matches("bxy\xF0\x9F\x98\x80"));
    EXPECT_FALSE(grammar->matches("cabxy"));
    EXPECT_FALSE(grammar->matches("ax1"));
}

TEST(TokenBytes, TokensThatPadTheTableAreNeverAllowed) {
    text::Vocabulary words;
    words.model = "rwkv";
    words.tokens = {"a", "[PAD1]"};
    words.kinds = {text::TokenKind::normal, text::TokenKind::unused};
    text::testing::TestMetadata metadata;
    metadata.vocabulary(words);
    const auto tokenizer = text::Tokenizer::from_gguf(metadata.get());
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    const Vocabulary vocabulary(token_bytes(*tokenizer, 3));
    EXPECT_EQ(vocabulary.size(), 3);
    EXPECT_EQ(vocabulary.bytes_of(0), "a");
    EXPECT_EQ(vocabulary.bytes_of(1), "");
    EXPECT_EQ(vocabulary.bytes_of(2), "");
}

}  // namespace
}  // namespace heft::grammar
