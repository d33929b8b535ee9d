#include "text/tokenizer.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "text/byte_level.h"
#include "text/test_encoding.h"
#include "text/test_metadata.h"

namespace heft::text {
namespace {

using Ids = std::vector<TokenId>;
using testing::TestMetadata;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};
constexpr EncodeOptions kSpecial{.add_special = true, .parse_special = true};

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

// All 256 bytes as ids 0…255, then " h", "he", " he"; then the added tokens of `sections`.
std::string byte_level_json(const std::string& sections, const std::string& model = "") {
    std::string vocab;
    for (int byte = 0; byte < 256; ++byte)
        vocab += json_text(byte_level_spell(std::string(1, static_cast<char>(byte)))) + ":"
                 + std::to_string(byte) + ",";
    vocab += R"("Ġh":256,"he":257,"Ġhe":258)";
    return R"({"model":{"type":"BPE","vocab":{)" + vocab + R"(},"merges":["Ġ h",["h","e"],"Ġh e"])"
           + model + R"(},"pre_tokenizer":)"
           + R"({"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"})"
           + sections + "}";
}

constexpr std::string_view kAdded =
    R"(,"added_tokens":[{"id":259,"content":"<|end|>","special":true},)"
    R"({"id":260,"content":"ü","special":false},{"id":261,"content":"<s>","special":true}])";

Tokenizer json(const std::string& text, std::string_view config = "") {
    auto tokenizer = Tokenizer::from_tokenizer_json(text, config);
    EXPECT_TRUE(tokenizer) << (tokenizer ? "" : tokenizer.error().what);
    return std::move(*tokenizer);
}

std::string decode(const Tokenizer& tokenizer, const Ids& ids, bool with_special = false) {
    auto text = tokenizer.decode(ids, with_special);
    EXPECT_TRUE(text);
    return text ? *text : std::string{};
}

// A SentencePiece vocabulary: <unk> <s> </s>, the byte tokens, then these with these scores.
struct Scored {
    std::string text;
    float score = 0;
};
const std::vector<Scored>& scored() {
    static const std::vector<Scored> list{{"▁", -9},  {"h", -9},   {"e", -9},  {"he", -1},
                                          {"▁h", -2}, {"▁he", -3}, {"▁▁", -4}, {"é", -9}};
    return list;
}

Vocabulary spm_vocabulary() {
    Vocabulary out;
    out.model = "llama";
    out.tokens = {"<unk>", "<s>", "</s>"};
    out.kinds = {TokenKind::unknown, TokenKind::control, TokenKind::control};
    for (int byte = 0; byte < 256; ++byte) {
        std::array<char, 8> text{};
        std::snprintf(text.data(), text.size(), "<0x%02X>", static_cast<unsigned>(byte));
        out.tokens.emplace_back(text.data());
        out.kinds.push_back(TokenKind::byte);
    }
    for (const Scored& piece : scored()) {
        out.tokens.push_back(piece.text);
        out.kinds.push_back(TokenKind::normal);
    }
    out.scores.assign(out.tokens.size(), 0);
    for (std::size_t i = 0; i < scored().size(); ++i) out.scores[259 + i] = scored()[i].score;
    return out;
}

// The same as a tokenizer.model. `trainer` and `normaliser` are messages.
std::string spm_model(std::string_view trainer = std::string_view("\x18\x02", 2),
                      std::string_view normaliser = std::string_view("\x20\x00", 2)) {
    const Vocabulary vocabulary = spm_vocabulary();
    std::string out;
    for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
        std::string piece = testing::proto_field(1, vocabulary.tokens[i]);
        piece.append(1, '\x15').append(reinterpret_cast<const char*>(&vocabulary.scores[i]), 4);
        piece.append(1, '\x18').append(
            1, static_cast<char>(static_cast<int>(vocabulary.kinds[i]) + 1));
        out += testing::proto_field(1, piece);
    }
    return out + testing::proto_field(2, trainer) + testing::proto_field(3, normaliser);
}

Tokenizer spm_gguf(bool prefix = true) {
    TestMetadata metadata;
    Vocabulary vocabulary = spm_vocabulary();
    vocabulary.add_space_prefix = prefix;
    metadata.vocabulary(vocabulary);
    auto tokenizer = Tokenizer::from_gguf(metadata.get());
    EXPECT_TRUE(tokenizer) << (tokenizer ? "" : tokenizer.error().what);
    return std::move(*tokenizer);
}

TEST(ByteLevel, MergesAndDecodes) {
    const Tokenizer tokenizer = json(byte_level_json(std::string(kAdded)));
    EXPECT_EQ(tokenizer.size(), 262);
    EXPECT_EQ(tokenizer.encode("he he hé"), (Ids{257, 258, 256, 0xC3, 0xA9}));
    EXPECT_EQ(tokenizer.encode(""), Ids{});
    EXPECT_EQ(tokenizer.description(), "byte-level BPE (gpt-2)");
    EXPECT_EQ(tokenizer.piece(258), "Ġhe");
    EXPECT_EQ(tokenizer.bytes_of(258), " he");
    EXPECT_EQ(tokenizer.find("Ġhe"), 258);
    EXPECT_EQ(tokenizer.kind(259), TokenKind::control);
    EXPECT_EQ(tokenizer.kind(-1), TokenKind::unused);
    EXPECT_EQ(tokenizer.piece(1000), "");
}

TEST(ByteLevel, EveryByteSurvives) {
    const Tokenizer tokenizer = json(byte_level_json(""));
    std::string all;
    for (int round = 0; round < 3; ++round)
        for (int byte = 255; byte >= 0; --byte) all += static_cast<char>(byte);
    EXPECT_EQ(decode(tokenizer, tokenizer.encode(all)), all);
}

TEST(ByteLevel, AddedTokensAreLiteral) {
    const Tokenizer tokenizer = json(byte_level_json(std::string(kAdded)));
    EXPECT_EQ(tokenizer.encode("hü<s>", kPlain), (Ids{'h', 260, '<', 's', '>'}));
    EXPECT_EQ(tokenizer.encode("hü<s>", kSpecial), (Ids{'h', 260, 261}));
    EXPECT_EQ(decode(tokenizer, {'h', 260, 261}), "hü");
    EXPECT_EQ(decode(tokenizer, {'h', 260, 261}, true), "hü<s>");
    EXPECT_FALSE(tokenizer.decode(Ids{262}));
    EXPECT_FALSE(tokenizer.decode(Ids{-1}));
}

TEST(ByteLevel, WholeWordsWinWhereMergesAreIgnored) {
    const std::string model = R"(,"ignore_merges":true)";
    std::string text = byte_level_json("", model);
    text.replace(text.find("\"Ġhe\":258"), std::strlen("\"Ġhe\":258"), "\"Ġhe\":258,\"ehe\":259");
    EXPECT_EQ(json(text).encode("ehe"), Ids{259});
    text.replace(text.find("true"), 4, "false");
    EXPECT_EQ(json(text).encode("ehe"), (Ids{'e', 257}));
}

TEST(ByteLevel, NormalisesWhereTheFileSaysSo) {
    const Tokenizer plain = json(byte_level_json(""));
    const Tokenizer nfc = json(byte_level_json(R"(,"normalizer":{"type":"NFC"})"));
    EXPECT_EQ(plain.encode("e\u0301"), (Ids{'e', 0xCC, 0x81}));
    EXPECT_EQ(nfc.encode("e\u0301"), (Ids{0xC3, 0xA9}));
}

TEST(SpecialTokens, ComeFromTheTemplateOrTheClass) {
    const std::string with_template = byte_level_json(
        std::string(kAdded)
        + R"(,"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},)"
          R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
          R"({"Sequence":{"id":"A"}},{"SpecialToken":{"id":"<|end|>"}}],)"
          R"("special_tokens":{"<s>":{"ids":[261]},"<|end|>":{"ids":[259]}}}]})");
    const Tokenizer both = json(with_template);
    EXPECT_EQ(both.encode("h"), (Ids{261, 'h', 259}));
    EXPECT_EQ(both.special().bos, 261);
    EXPECT_TRUE(both.special().add_eos);
    EXPECT_EQ(both.special().end_of_generation, Ids{259});

    const Tokenizer flags =
        json(with_template, R"({"tokenizer_class":"LlamaTokenizerFast","bos_token":"<s>",)"
                            R"("model_max_length":1000000000000000019884624838656})");
    EXPECT_EQ(flags.encode("h"), (Ids{261, 'h'}));
    const Tokenizer off =
        json(with_template, R"({"tokenizer_class":"LlamaTokenizer","add_bos_token":false,)"
                            R"("eos_token":{"content":"<|end|>"},"add_eos_token":true})");
    EXPECT_EQ(off.encode("h"), (Ids{'h', 259}));
    EXPECT_EQ(off.special().eos, 259);
}

TEST(SentencePiece, ThreeFormatsGiveTheSameIds) {
    const Tokenizer gguf = spm_gguf();
    auto model = Tokenizer::from_sentencepiece(as_bytes(spm_model()), "");
    ASSERT_TRUE(model) << model.error().what;
    for (const std::string_view text :
         {"he", " he", "hehe  he", "é🙂h", "", "\n", "   ", "h\xFF\xC3", "<s>he</s>"}) {
        EXPECT_EQ(gguf.encode(text, kPlain), model->encode(text, kPlain)) << text;
        EXPECT_EQ(decode(gguf, gguf.encode(text)), text);
        EXPECT_EQ(decode(*model, model->encode(text)), text);
    }
    EXPECT_EQ(gguf.encode("he"), (Ids{1, 259 + 5}));
    EXPECT_EQ(gguf.encode("é🙂", kPlain),
              (Ids{259, 259 + 7, 3 + 0xF0, 3 + 0x9F, 3 + 0x99, 3 + 0x82}));
    EXPECT_EQ(gguf.encode("he<s>he", kSpecial), (Ids{1, 264, 1, 264}));
}

TEST(SentencePiece, TheFirstSpaceIsDroppedOnlyWhereOneWasAdded) {
    const Tokenizer with = spm_gguf(true);
    const Tokenizer without = spm_gguf(false);
    EXPECT_EQ(without.encode("he", kPlain), Ids{262});
    EXPECT_EQ(decode(with, {264, 264}), "he he");
    EXPECT_EQ(decode(with, {1, 264}), "he");
    EXPECT_EQ(decode(with, {1, 264}, true), "<s> he");
    EXPECT_EQ(decode(without, {264}), " he");
    EXPECT_EQ(with.bytes_of(264), " he");
    EXPECT_EQ(with.bytes_of(1), "");
    EXPECT_EQ(with.bytes_of(1, true), "<s>");
}

TEST(SentencePiece, ExtraSpacesGoWhereTheModelSaysSo) {
    // remove_extra_whitespaces is the default of the format.
    auto model =
        Tokenizer::from_sentencepiece(as_bytes(spm_model(std::string_view("\x18\x02", 2), "")), "");
    ASSERT_TRUE(model) << model.error().what;
    EXPECT_EQ(decode(*model, model->encode("  he   he  ")), "he he");
}

TEST(Streaming, PiecesJoinToTheWhole) {
    const Tokenizer tokenizer = spm_gguf();
    for (const Ids& ids : {Ids{1, 264, 3 + 0xF0, 3 + 0x9F, 3 + 0x99, 3 + 0x82, 264, 2},
                           Ids{3 + 0xF0, 264}, Ids{259, 3 + 0xC3}, Ids{}, Ids{-5, 259, 100000}}) {
        StreamDecoder decoder(tokenizer);
        std::string joined;
        Ids valid;
        for (const TokenId id : ids) {
            const std::string piece = decoder.push(id);
            EXPECT_TRUE(is_utf8(piece));
            joined += piece;
            if (id >= 0 && id < tokenizer.size()) valid.push_back(id);
        }
        joined += decoder.finish();
        EXPECT_EQ(joined, to_valid_utf8(decode(tokenizer, valid)));
    }
}

TEST(Gguf, WhatVocabularyGivesReadsBackTheSame) {
    const Tokenizer before = json(byte_level_json(std::string(kAdded)));
    TestMetadata metadata;
    metadata.vocabulary(before.vocabulary());
    auto after = Tokenizer::from_gguf(metadata.get());
    ASSERT_TRUE(after) << after.error().what;
    const Tokenizer spm = spm_gguf();
    TestMetadata spm_metadata;
    spm_metadata.vocabulary(spm.vocabulary());
    auto spm_after = Tokenizer::from_gguf(spm_metadata.get());
    ASSERT_TRUE(spm_after) << spm_after.error().what;
    for (const std::string_view text : {"he hehe\n h", "ü<s>", "日本 é"}) {
        EXPECT_EQ(before.encode(text), after->encode(text));
        EXPECT_EQ(spm.encode(text), spm_after->encode(text));
    }
}

TEST(Gguf, KeysSayWhatIsSpecial) {
    TestMetadata metadata;
    metadata.vocabulary(json(byte_level_json(std::string(kAdded))).vocabulary());
    metadata.integer("tokenizer.ggml.bos_token_id", 261);
    metadata.integer("tokenizer.ggml.eos_token_id", 3);
    metadata.integer("tokenizer.ggml.eot_token_id", 4);
    metadata.integer("tokenizer.ggml.padding_token_id", 0xFFFFFFFF);
    metadata.flag("tokenizer.ggml.add_bos_token", true);
    auto tokenizer = Tokenizer::from_gguf(metadata.get());
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    EXPECT_EQ(tokenizer->encode("h"), (Ids{261, 'h'}));
    EXPECT_EQ(tokenizer->special().pad, std::nullopt);
    EXPECT_EQ(tokenizer->special().end_of_generation, (Ids{3, 4, 259}));
}

// The error, when there is one, is of this kind, names this, and is one line.
void expect_refused(const Result<Tokenizer>& tokenizer, Code code, std::string_view says) {
    ASSERT_FALSE(tokenizer) << says;
    EXPECT_EQ(tokenizer.error().code, code) << tokenizer.error().what;
    EXPECT_NE(tokenizer.error().what.find(says), std::string::npos) << tokenizer.error().what;
    EXPECT_EQ(tokenizer.error().what.find('\n'), std::string::npos);
}

TEST(BadInput, TokenizerJsonIsRefusedInOneSentence) {
    const std::string good = byte_level_json("");
    const auto with = [&good](std::string_view from, std::string_view to) {
        std::string out = good;
        return out.replace(out.find(from), from.size(), to);
    };
    const auto refused = [](std::string_view bytes, Code code, std::string_view says) {
        expect_refused(Tokenizer::from_tokenizer_json(bytes, ""), code, says);
    };
    refused("", Code::corrupt, "JSON");
    refused("[]", Code::corrupt, "model");
    refused(R"({"model":{"type":"WordLevel","vocab":{}}})", Code::unsupported, "WordLevel");
    refused(R"({"model":{"type":"Unigram","vocab":[]}})", Code::corrupt, "empty");
    refused(R"({"model":{"type":"Unigram","vocab":[["a"]]}})", Code::corrupt, "piece 0");
    refused(R"({"model":{"type":"Unigram","unk_id":3,"vocab":[["a",-1]]}})", Code::corrupt, "3");
    refused(R"({"model":{"type":"WordPiece"}})", Code::corrupt, "vocab");
    refused(R"({"model":{"type":"BPE","magic":1,"vocab":{}}})", Code::unsupported, "'magic'");
    refused(R"({"model":{"vocab":{}}})", Code::corrupt, "empty");
    refused(R"({"model":{"vocab":{"a":"b"}}})", Code::corrupt, "'a'");
    refused(R"({"model":{"vocab":{"a":-1}}})", Code::corrupt, "-1");
    refused(R"({"model":{"vocab":{"a":99999999}}})", Code::corrupt, "99999999");
    refused(with("\"Ġ h\"", "\"Ġ zz\""), Code::corrupt, "'zz'");
    refused(with("\"Ġ h\"", "\"Ġh\""), Code::corrupt, "merge 0");
    refused(with("\"Ġ h\"", "[1]"), Code::corrupt, "merge 0");
    refused(with("\"ByteLevel\",\"add", "\"ByteLevel\",\"magic\":1,\"add"), Code::unsupported,
            "'magic'");
    refused(with("\"ByteLevel\",\"add", "\"Magic\",\"add"), Code::unsupported, "'Magic'");
    refused(byte_level_json(R"(,"normalizer":{"type":"Precompiled","precompiled_charsmap":"AA"})"),
            Code::corrupt, "base64");
    refused(byte_level_json(R"(,"normalizer":{"type":"Magic"})"), Code::unsupported, "'Magic'");
    refused(byte_level_json(R"(,"post_processor":{"type":"Magic"})"), Code::unsupported, "'Magic'");
    refused(byte_level_json(R"(,"normalizer":{"type":"Replace","pattern":{"Regex":"("}})"),
            Code::unsupported, "'('");
    refused(byte_level_json(R"(,"added_tokens":[{"content":"x"}])"), Code::corrupt, "'x'");
    refused(std::string(100000, '['), Code::corrupt, "JSON");
}

TEST(BadInput, GgufMetadataIsRefusedInOneSentence) {
    const auto refused = [](auto change) {
        TestMetadata metadata;
        Vocabulary vocabulary = spm_vocabulary();
        change(vocabulary, metadata);
        metadata.vocabulary(vocabulary);
        const auto tokenizer = Tokenizer::from_gguf(metadata.get());
        return tokenizer ? std::string("accepted") : tokenizer.error().what;
    };
    using V = Vocabulary;
    using M = TestMetadata;
    EXPECT_NE(refused([](V& v, M&) { v.model = "plamo2"; }).find("plamo2"), std::string::npos);
    EXPECT_NE(refused([](V& v, M&) { v.scores.pop_back(); }).find("scores"), std::string::npos);
    EXPECT_NE(refused([](V& v, M&) { v.kinds.pop_back(); }).find("token_type"), std::string::npos);
    EXPECT_NE(refused([](V& v, M&) { v.scores[5] = NAN; }).find("token 5"), std::string::npos);
    EXPECT_NE(refused([](V& v, M&) { v.tokens.clear(); }).find("tokens"), std::string::npos);
    EXPECT_NE(refused([](V& v, M&) { v.model = "gpt2", v.pre = "mystery"; }).find("'mystery'"),
              std::string::npos);
    EXPECT_NE(refused([](V& v, M&) { v.model = "gpt2", v.pre = "gpt-2"; }).find("merges"),
              std::string::npos);
    EXPECT_NE(
        refused([](V&, M& m) { m.integer("tokenizer.ggml.bos_token_id", 5000); }).find("5000"),
        std::string::npos);
    EXPECT_FALSE(Tokenizer::from_gguf(format::Metadata{}));
}

TEST(BadInput, SentencePieceModelsAreRefusedInOneSentence) {
    const std::string good = spm_model();
    const auto refused = [](std::string_view bytes, Code code, std::string_view says) {
        expect_refused(Tokenizer::from_sentencepiece(as_bytes(bytes), ""), code, says);
    };
    refused("", Code::corrupt, "no pieces");
    refused("IQ== 0\nIg== 1\n", Code::corrupt, "SentencePiece");
    refused(good.substr(0, good.size() - 1), Code::corrupt, "ends");
    refused(spm_model(std::string_view("\x18\x03", 2)), Code::unsupported, "word");
    refused(spm_model(std::string_view("\x18\x04", 2)), Code::unsupported, "char");
    refused(spm_model(std::string_view("\x18\x02", 2), std::string_view("\x0A\x01n\x12\x01m", 6)),
            Code::corrupt, "character map");
    refused(std::string("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 10), Code::corrupt, "ends");
    refused(std::string(20, '\xFF'), Code::corrupt, "ten bytes");
}

}  // namespace
}  // namespace heft::text
