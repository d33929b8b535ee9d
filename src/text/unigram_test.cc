// Unigram and WordPiece against their definitions, on short random texts.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "text/test_metadata.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace heft::text {
namespace {

using Ids = std::vector<TokenId>;
using testing::TestMetadata;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};
constexpr std::array<std::string_view, 5> kLetters{"a", "b", "é", "日", "x"};

std::string random_text(Rng& rng, std::size_t letters, std::size_t longest) {
    std::string text;
    for (std::size_t n = 1 + rng.next() % longest; n > 0; --n)
        text += kLetters[rng.next() % letters];
    return text;
}

struct Scored {
    std::string text;
    float score;
};

Result<Tokenizer> unigram(const std::vector<Scored>& pieces) {
    Vocabulary vocabulary;
    vocabulary.model = "t5";
    vocabulary.tokens = {"<pad>", "</s>", "<unk>"};
    vocabulary.kinds = {TokenKind::control, TokenKind::control, TokenKind::unknown};
    vocabulary.scores = {0, 0, 0};
    vocabulary.add_space_prefix = false;
    for (const Scored& piece : pieces) {
        vocabulary.tokens.push_back(piece.text);
        vocabulary.scores.push_back(piece.score);
        vocabulary.kinds.push_back(TokenKind::normal);
    }
    TestMetadata metadata;
    metadata.vocabulary(vocabulary);
    return Tokenizer::from_gguf(metadata.get());
}

// The score of the best of all splits of `text`; no recursion is shared.
double best_score(const std::vector<Scored>& pieces, double unknown, std::string_view text) {
    if (text.empty()) return 0;
    double best = -std::numeric_limits<double>::infinity();
    const std::size_t bytes = utf8_at(text, 0).bytes;
    bool known = false;
    for (const Scored& piece : pieces) {
        if (!text.starts_with(piece.text)) continue;
        known = known || piece.text.size() == bytes;
        best = std::max(best, double{piece.score}
                                  + best_score(pieces, unknown, text.substr(piece.text.size())));
    }
    if (!known) best = std::max(best, unknown + best_score(pieces, unknown, text.substr(bytes)));
    return best;
}

TEST(Unigram, TheSplitIsTheBestOfAll) {
    Rng rng(5);
    for (int round = 0; round < 60; ++round) {
        std::vector<Scored> pieces;
        const auto add = [&](const std::string& text) {
            const auto same = [&text](const Scored& p) { return p.text == text; };
            if (std::any_of(pieces.begin(), pieces.end(), same)) return;
            pieces.push_back({text, -1 - static_cast<float>(rng.next() % 1000) / 100});
        };
        for (std::size_t i = 0; i < 4; ++i) add(std::string(kLetters[i]));  // all but "x"
        for (int i = 0; i < 12; ++i) add(random_text(rng, 4, 3));
        double unknown = 0;
        for (const Scored& piece : pieces) unknown = std::min(unknown, double{piece.score});
        unknown -= 10;
        const auto tokenizer = unigram(pieces);
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        for (int i = 0; i < 20; ++i) {
            const std::string text = random_text(rng, 5, 8);
            double score = 0;
            std::size_t at = 0;
            for (const TokenId id : tokenizer->encode(text, kPlain)) {
                if (id == 2) {  // a run of unknown characters
                    ASSERT_EQ(text[at], 'x');
                    for (; at < text.size() && text[at] == 'x'; ++at) score += unknown;
                    continue;
                }
                const Scored& piece = pieces[static_cast<std::size_t>(id) - 3];
                ASSERT_EQ(text.substr(at, piece.text.size()), piece.text);
                score += double{piece.score};
                at += piece.text.size();
            }
            ASSERT_EQ(at, text.size());
            EXPECT_NEAR(score, best_score(pieces, unknown, text), 1e-6) << text;
        }
    }
}

TEST(Unigram, UnknownCharactersAreOneTokenOrTheirBytes) {
    const auto tokenizer = unigram({{"a", -1}, {"▁", -2}, {"▁a", -2}});
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    EXPECT_EQ(tokenizer->encode("a日本 a", kPlain), (Ids{3, 2, 5}));
    EXPECT_EQ(tokenizer->encode("a"), (Ids{3, 1}));
    EXPECT_EQ(tokenizer->encode("", kPlain), Ids{});
    std::vector<Scored> bytes{{"a", -1}};
    for (const char* byte : {"<0xE6>", "<0x97>", "<0xA5>"}) bytes.push_back({byte, -1});
    EXPECT_EQ(unigram(bytes)->encode("日", kPlain), Ids{2});  // spelled so, but of no byte kind
}

TEST(Unigram, ScoresAndPiecesAreChecked) {
    EXPECT_FALSE(unigram({{"a", std::numeric_limits<float>::infinity()}}));
    EXPECT_FALSE(unigram({{std::string(2000, 'a'), -1}}));
}

Result<Tokenizer> wordpiece(const std::vector<std::string>& words, int longest = 100) {
    std::string vocab = R"("[UNK]":0)";
    for (std::size_t i = 0; i < words.size(); ++i)
        vocab += ",\"" + words[i] + "\":" + std::to_string(i + 1);
    return Tokenizer::from_tokenizer_json(
        R"({"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",)"
        R"("max_input_chars_per_word":)"
            + std::to_string(longest) + R"(,"vocab":{)" + vocab + R"(}},)"
            + R"("normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},)"
            + R"("decoder":{"type":"WordPiece","prefix":"##","cleanup":true},)"
            + R"("added_tokens":[{"id":0,"content":"[UNK]","special":true}]})",
        "");
}

// Tries every end, from the longest down.
std::optional<std::vector<std::string>> greedy(const std::vector<std::string>& words,
                                               std::string_view word) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < word.size();) {
        std::size_t end = word.size();
        std::string piece;
        for (; end > at; --end) {
            piece = (at > 0 ? "##" : "") + std::string(word.substr(at, end - at));
            if (std::find(words.begin(), words.end(), piece) != words.end()) break;
        }
        if (end == at) return {};
        pieces.push_back(piece);
        at = end;
    }
    return pieces;
}

TEST(WordPiece, TheLongestPieceIsTaken) {
    Rng rng(6);
    for (int round = 0; round < 60; ++round) {
        std::vector<std::string> words;
        for (int i = 0; i < 14; ++i) {
            std::string word = rng.next() % 2 ? "##" : "";
            for (auto n = 1 + rng.next() % 3; n > 0; --n) word += "abx"[rng.next() % 2];
            if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
        }
        const auto tokenizer = wordpiece(words);
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        for (int i = 0; i < 30; ++i) {
            std::string word;
            for (auto n = 1 + rng.next() % 8; n > 0; --n)
                word += "abx"[rng.next() % 3 ? rng.next() % 2 : 2];
            const auto expected = greedy(words, word);
            std::vector<std::string> pieces;
            for (const TokenId id : tokenizer->encode(word, kPlain))
                pieces.emplace_back(tokenizer->piece(id));
            EXPECT_EQ(pieces, expected.value_or(std::vector<std::string>{"[UNK]"})) << word;
        }
    }
}

TEST(WordPiece, WordsAreNormalisedCutAndJoined) {
    const auto tokenizer =
        wordpiece({"un", "##aff", "##able", "cafe", "日", ",", "a", "'", "s"}, 9);
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    EXPECT_EQ(tokenizer->encode("Unaffable, CAFÉ日a\x01", kPlain), (Ids{1, 2, 3, 6, 4, 5, 7}));
    EXPECT_EQ(tokenizer->encode("unaffableaff", kPlain), Ids{0});  // longer than nine
    EXPECT_EQ(*tokenizer->decode(Ids{1, 2, 3, 6, 4, 5}), "unaffable, cafe 日");
    StreamDecoder stream(*tokenizer);
    std::string joined;
    for (const TokenId id : {1, 2, 3, 6, 4}) joined += stream.push(id);
    EXPECT_EQ(joined + stream.finish(), "unaffable, cafe");
}

TEST(WordPiece, GgufSpellsTheSameOtherwise) {
    const auto json = wordpiece({"un", "##aff", "##able", "able", ","});
    ASSERT_TRUE(json);
    TestMetadata metadata;
    metadata.vocabulary(json->vocabulary());
    metadata.integer("tokenizer.ggml.unknown_token_id", 0);
    const auto gguf = Tokenizer::from_gguf(metadata.get());
    ASSERT_TRUE(gguf) << gguf.error().what;
    for (const std::string_view text : {"unaffable able", "affable", "Able, un", "x", " \n"})
        EXPECT_EQ(gguf->encode(text, kPlain), json->encode(text, kPlain)) << text;
}

TEST(WordPiece, GgufTextsStandBetweenClsAndSep) {
    Vocabulary vocabulary;
    vocabulary.model = "bert";
    vocabulary.tokens = {"[UNK]", "[CLS]", "[SEP]", "\u2581able"};
    vocabulary.kinds = {TokenKind::control, TokenKind::control, TokenKind::control,
                        TokenKind::normal};
    TestMetadata metadata;
    metadata.vocabulary(vocabulary);
    metadata.integer("tokenizer.ggml.seperator_token_id", 2);
    metadata.integer("tokenizer.ggml.eos_token_id", 0);
    metadata.flag("tokenizer.ggml.add_bos_token", false);
    metadata.flag("tokenizer.ggml.add_eos_token", false);
    const auto gguf = Tokenizer::from_gguf(metadata.get());
    ASSERT_TRUE(gguf) << gguf.error().what;
    EXPECT_EQ(gguf->encode("able"), (std::vector<TokenId>{1, 3, 2}));
}

}  // namespace
}  // namespace heft::text
