// Every component of tokenizer.json does what its library does: one case a row. Each case is a
// character-level BPE without merges, or a small Unigram, so that tokens show what was cut.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>

#include "text/test_charsmap.h"
#include "text/test_encoding.h"
#include "text/tokenizer_json.h"

namespace heft::text {
namespace {

using Pieces = std::vector<std::string>;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};

// A Unigram model that knows these pieces, and any single character of ASCII.
std::string unigram_with(const std::vector<std::string>& pieces) {
    std::string vocab = R"(["<unk>",0])";
    for (const auto& piece : pieces) vocab += ",[\"" + piece + "\",-1]";
    for (char c = '!'; c <= '~'; ++c)
        if (c != '"' && c != '\\') vocab += std::string(",[\"") + c + "\",-5]";
    return R"("model":{"type":"Unigram","unk_id":0,"vocab":[)" + vocab + "]}";
}

Pieces pieces_of(const std::string& json, std::string_view text) {
    const auto tokenizer = Tokenizer::from_tokenizer_json("{" + json + "}", "");
    EXPECT_TRUE(tokenizer) << (tokenizer ? "" : tokenizer.error().what) << " " << json;
    Pieces pieces;
    if (!tokenizer) return pieces;
    for (const TokenId id : tokenizer->encode(text, kPlain))
        pieces.emplace_back(tokenizer->piece(id));
    return pieces;
}

struct NormalizerCase {
    std::string component, text, normal;
};

TEST(Components, NormalizersDoWhatTheyAreCalledFor) {
    const std::vector<NormalizerCase> cases{
        {R"({"type":"NFC"})", "e\u0301", "é"},
        {R"({"type":"NFD"})", "é", "e\u0301"},
        {R"({"type":"NFKC"})", "ﬁ", "fi"},
        {R"({"type":"NFKD"})", "ﬁ", "fi"},
        {R"({"type":"Lowercase"})", "AbC", "abc"},
        {R"({"type":"StripAccents"})", "e\u0301", "e"},
        {R"({"type":"Nmt"})", "a\u200Bb", "a b"},
        {R"({"type":"Replace","pattern":{"String":"ab"},"content":"c"})", "abab", "cc"},
        {R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})", "a   b", "a b"},
        {R"({"type":"Prepend","prepend":"x"})", "a", "xa"},
        {R"({"type":"Strip","strip_left":true,"strip_right":false})", " a ", "a "},
        {R"({"type":"ByteLevel"})", " é", "ĠÃ©"},
        {R"({"type":"BertNormalizer"})", "É\t日", "e  日 "},
        {R"({"type":"BertNormalizer","lowercase":false,"strip_accents":null})", "É", "É"},
        {R"({"type":"BertNormalizer","lowercase":false,"strip_accents":true})", "É", "E"},
        {R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]})", "é",
         "e"}};
    for (const NormalizerCase& one : cases) {
        const auto doc = JsonDoc::parse(one.component);
        ASSERT_TRUE(doc);
        NormalizerPlan plan;
        const auto status = read_normalizer(doc->root(), plan);
        ASSERT_TRUE(status) << one.component << status.error().what;
        RegexScratch scratch;
        EXPECT_EQ(Normaliser(std::move(plan.steps)).apply(one.text, scratch), one.normal)
            << one.component;
    }
}

struct CutCase {
    std::string component, text;
    Pieces words;
};

TEST(Components, PreTokenizersCutWhereTheyShould) {
    const std::vector<CutCase> cases{
        {R"({"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithNext"})",
         "a-b",
         {"a", "-b"}},
        {R"({"type":"Split","pattern":{"Regex":"[0-9]+"},"behavior":"Removed","invert":true})",
         "a12b3",
         {"12", "3"}},
        {R"({"type":"Digits","individual_digits":true})", "a12", {"a", "1", "2"}},
        {R"({"type":"Digits","individual_digits":false})", "a12", {"a", "12"}},
        {R"({"type":"Punctuation","behavior":"Isolated"})", "a,$b", {"a", ",", "$", "b"}},
        {R"({"type":"Punctuation","behavior":"Contiguous"})", "a,$b", {"a", ",$", "b"}},
        {R"({"type":"Whitespace"})", "ab, c", {"ab", ",", "c"}},
        {R"({"type":"WhitespaceSplit"})", " ab,\n c", {"ab,", "c"}},
        {R"({"type":"BertPreTokenizer"})", "ab, c", {"ab", ",", "c"}},
        {R"({"type":"CharDelimiterSplit","delimiter":"/"})", "a/b//c", {"a", "b", "c"}},
        {R"({"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},)"
         R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}]})",
         " a  b",
         {"▁a", "▁b"}},
        {R"({"type":"Sequence","pretokenizers":[{"type":"Digits"},)"
         R"({"type":"ByteLevel","add_prefix_space":true,"use_regex":false}]})",
         "a1",
         {" a", " 1"}}};
    for (const CutCase& one : cases) {
        const auto doc = JsonDoc::parse(one.component);
        ASSERT_TRUE(doc);
        PreTokenizerPlan plan;
        const auto status = read_pre_tokenizer(doc->root(), plan);
        ASSERT_TRUE(status) << one.component << status.error().what;
        Words words;
        RegexScratch scratch;
        Pretokeniser(std::move(plan.steps)).split(one.text, true, scratch, words);
        EXPECT_EQ(Pieces(words.list.begin(), words.list.end()), one.words) << one.component;
    }
}

TEST(Components, MetaspaceMarksTheTextWhereItComesFirst) {
    const std::string model = unigram_with({"▁a", "▁b", "▁", "▁▁"});
    const auto with = [&model](const std::string& scheme) {
        return model + R"(,"pre_tokenizer":{"type":"Metaspace","replacement":"▁",)"
               + R"("prepend_scheme":")" + scheme + R"("})"
               + R"(,"added_tokens":[{"id":99,"content":"<x>","normalized":false}])";
    };
    EXPECT_EQ(pieces_of(with("always"), "a b<x>b"), (Pieces{"▁a", "▁b", "<x>", "▁b"}));
    EXPECT_EQ(pieces_of(with("first"), "a b<x>b"), (Pieces{"▁a", "▁b", "<x>", "b"}));
    EXPECT_EQ(pieces_of(with("never"), "a b<x>b"), (Pieces{"a", "▁b", "<x>", "b"}));
    EXPECT_EQ(pieces_of(with("always"), " a"), Pieces{"▁a"});
}

struct DecoderCase {
    std::string component;
    Pieces tokens;
    std::string text;
};

TEST(Components, DecodersUndoTheSpelling) {
    const std::vector<DecoderCase> cases{
        {R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})",
         {"▁a", "▁b"},
         "a b"},
        {R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"never"})", {"▁a"}, " a"},
        {R"({"type":"WordPiece","prefix":"##","cleanup":true})", {"a", "##b", ",", "'s"}, "ab,'s"},
        {R"({"type":"WordPiece","prefix":"##","cleanup":false})", {"a", ",", "b"}, "a , b"},
        {R"({"type":"BPEDecoder","suffix":"</w>"})", {"a", "b</w>", "c</w>"}, "ab c"},
        {R"({"type":"ByteLevel"})", {"Ġa", "Ã", "©"}, " aé"},
        {R"({"type":"Strip","content":"x","start":1,"stop":1})", {"xxax", "xb"}, "xab"},
        {R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},)"
         R"("content":" "},{"type":"ByteFallback"},{"type":"Fuse"},)"
         R"({"type":"Strip","content":" ","start":1,"stop":0}]})",
         {"▁a", "<0xC3>", "<0xA9>", "▁b"},
         "aé b"}};
    for (const DecoderCase& one : cases) {
        std::vector<std::string> known(one.tokens);
        std::sort(known.begin(), known.end());
        const std::string json = "{" + unigram_with(known) + R"(,"decoder":)" + one.component + "}";
        const auto tokenizer = Tokenizer::from_tokenizer_json(json, "");
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        std::vector<TokenId> ids;
        for (const auto& piece : one.tokens) ids.push_back(*tokenizer->find(piece));
        EXPECT_EQ(*tokenizer->decode(ids), one.text) << one.component;
        StreamDecoder stream(*tokenizer);
        std::string joined;
        for (const TokenId id : ids) joined += stream.push(id);
        EXPECT_EQ(joined + stream.finish(), one.text) << one.component;
    }
}

TEST(Components, PostProcessorsPutTokensAround) {
    const std::string tokens = R"(,"added_tokens":[{"id":200,"content":"[CLS]","special":true},)"
                               R"({"id":201,"content":"[SEP]","special":true}])";
    for (
        const std::string component :
        {R"({"type":"BertProcessing","sep":["[SEP]",201],"cls":["[CLS]",200]})",
         R"({"type":"RobertaProcessing","sep":["[SEP]",201],"cls":["[CLS]",200],)"
         R"("trim_offsets":true,"add_prefix_space":false})",
         R"({"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",)"
         R"("single":[{"SpecialToken":{"id":"c","type_id":0}},{"Sequence":{"id":"A"}},)"
         R"({"SpecialToken":{"id":"s"}}],"special_tokens":{"c":{"ids":[200]},"s":{"ids":[201]}}}]})"}) {
        const auto tokenizer = Tokenizer::from_tokenizer_json(
            "{" + unigram_with({}) + tokens + R"(,"post_processor":)" + component + "}", "");
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        const auto ids = tokenizer->encode("a");
        ASSERT_EQ(ids.size(), 3U);
        EXPECT_EQ(ids.front(), 200);
        EXPECT_EQ(ids.back(), 201);
    }
}

TEST(Components, BpeSpellsTheEndsOfWords) {
    const std::string json =
        R"("model":{"type":"BPE","end_of_word_suffix":"</w>","continuing_subword_prefix":"##",)"
        R"("vocab":{"a":0,"##b":1,"##b</w>":2,"ab</w>":3,"a</w>":4,"ab":5},)"
        R"("merges":["a ##b</w>","a ##b"]},"pre_tokenizer":{"type":"WhitespaceSplit"})";
    EXPECT_EQ(pieces_of(json, "ab a abb"), (Pieces{"ab</w>", "a</w>", "ab", "##b</w>"}));
}

TEST(Components, PrecompiledMapsComeFromBase64) {
    // {"a": "b"}, as the model files have it.
    const std::string blob = testing::charsmap_blob({{"a", "b"}});
    EXPECT_EQ(pieces_of(unigram_with({}) + R"(,"normalizer":{"type":"Precompiled",)"
                            + R"("precompiled_charsmap":")" + testing::base64(blob) + "\"}",
                        "aa"),
              (Pieces{"b", "b"}));
}

TEST(Components, WhatIsNotKnownIsNamed) {
    for (const std::string section : {"normalizer", "pre_tokenizer", "decoder", "post_processor"}) {
        for (const std::string component :
             {R"({"type":"Magic"})", R"({"type":"ByteLevel","magic":1})",
              R"({"type":"Sequence","magic":1})"}) {
            const auto tokenizer = Tokenizer::from_tokenizer_json(
                "{" + unigram_with({}) + ",\"" + section + "\":" + component + "}", "");
            ASSERT_FALSE(tokenizer) << section << component;
            EXPECT_EQ(tokenizer.error().code, Code::unsupported);
            EXPECT_NE(tokenizer.error().what.find(section), std::string::npos);
            EXPECT_NE(tokenizer.error().what.find("agic'"), std::string::npos)
                << tokenizer.error().what;
        }
    }
}

// docs/tokenizers.md names every component that is read.
TEST(Components, TheDocumentListsThemAll) {
    std::ifstream file(std::string(HEFT_SOURCE_DIR) + "/docs/tokenizers.md");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(text.empty());
    for (const std::string& list :
         {known_models(), known_normalizers(), known_pre_tokenizer_types(), known_decoders(),
          known_post_processors(), known_pre_tokenizers()}) {
        std::istringstream names(list);
        for (std::string name; std::getline(names >> std::ws, name, ',');)
            EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace heft::text
