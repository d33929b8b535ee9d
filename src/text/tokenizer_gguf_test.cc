// What GGUF metadata leaves open about a tokenizer, and what it gets wrong.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "text/test_metadata.h"
#include "text/tokenizer.h"

namespace heft::text {
namespace {

using testing::TestMetadata;
using Ids = std::vector<TokenId>;

Vocabulary merged_vocabulary(std::string_view model) {
    Vocabulary out;
    out.model = model;
    out.tokens = {"<s>", "a", "b", "ab"};
    out.kinds = {TokenKind::control, TokenKind::normal, TokenKind::normal, TokenKind::normal};
    out.merges = {"a b"};
    return out;
}

TEST(GgufTokenizer, TheArchitectureTellsWhatAMissingPreTokenizerIs) {
    struct Case {
        const char* architecture;
        const char* name;
    };
    for (const auto& [architecture, name] :
         {Case{"starcoder2", "starcoder"}, Case{"gptneox", "gpt-2"}, Case{"qwen2", "qwen2"}}) {
        TestMetadata metadata;
        metadata.vocabulary(merged_vocabulary("gpt2"));
        metadata.text("general.architecture", architecture);
        const auto tokenizer = Tokenizer::from_gguf(metadata.get());
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        EXPECT_EQ(tokenizer->vocabulary().pre, name);
    }
    TestMetadata open;
    open.vocabulary(merged_vocabulary("gpt2"));
    open.text("general.architecture", "llama");
    const auto refused = Tokenizer::from_gguf(open.get());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unsupported);
    EXPECT_NE(refused.error().what.find("tokenizer.ggml.pre"), std::string::npos);
}

TEST(GgufTokenizer, Gemma4BeginsWithBosWhateverTheFileSays) {
    TestMetadata metadata;
    metadata.vocabulary(merged_vocabulary("gemma4"));
    metadata.integer("tokenizer.ggml.bos_token_id", 0);
    metadata.flag("tokenizer.ggml.add_bos_token", false);
    const auto tokenizer = Tokenizer::from_gguf(metadata.get());
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    EXPECT_EQ(tokenizer->encode("ab"), (Ids{0, 3}));
}

// Ids of a SentencePiece vocabulary whose last token is `text`.
constexpr TokenId kLast = 4;
Result<Tokenizer> ending_in(std::string_view text, TokenKind kind) {
    Vocabulary vocabulary;
    vocabulary.model = "llama";
    vocabulary.tokens = {"<unk>", "<s>", "</s>", "a", std::string(text)};
    vocabulary.kinds = {TokenKind::unknown, TokenKind::control, TokenKind::control,
                        TokenKind::normal, kind};
    vocabulary.scores = {0, 0, 0, -1, 0, 0};  // more than tokens: the rest does not count
    TestMetadata metadata;
    metadata.vocabulary(vocabulary);
    return Tokenizer::from_gguf(metadata.get());
}

TEST(GgufTokenizer, EndingsAreFoundByTheirTextAndAreNoLiterals) {
    for (const std::string_view text : {"<end_of_turn>", "<|im_end|>", "[EOT]", "[e~["}) {
        const auto literal = ending_in(text, TokenKind::user_defined);
        ASSERT_TRUE(literal) << literal.error().what;
        EXPECT_EQ(literal->special().end_of_generation, (Ids{2, kLast})) << text;
        const Ids ids = literal->encode(text);
        EXPECT_EQ(std::count(ids.begin(), ids.end(), kLast), 0) << text;
        const auto normal = ending_in(text, TokenKind::normal);
        ASSERT_TRUE(normal);
        EXPECT_EQ(normal->special().end_of_generation, Ids{2}) << text;
    }
}

}  // namespace
}  // namespace heft::text
