// One tokenizer by its different files gives the same ids, on a megabyte of mixed text; every
// published vocabulary loads, keeps every text, and none is slow on monotonous ones.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "base/rng.h"
#include "format/gguf.h"
#include "text/test_charsmap.h"
#include "text/test_encoding.h"
#include "text/test_metadata.h"
#include "text/tokenizer.h"

namespace heft::text {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<TokenId>;
using Json = nlohmann::json;
using testing::TestMetadata;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};
// A megabyte; less where sanitizers make each of its bytes ten times as dear.
constexpr std::size_t kTextBytes = std::size_t{1} << (HEFT_SANITIZED ? 17 : 20);

std::string read(const fs::path& path) {
    auto text = read_text(path, std::size_t{1} << 30);
    EXPECT_TRUE(text) << path;
    return text ? *text : std::string{};
}

fs::path real() {
    return heft::testing::shared_data() / "real";
}

// Code, prose, Chinese, emoji, numbers, white space, and in between bytes that are no UTF-8.
std::string mixed_text(std::size_t bytes, bool broken) {
    const std::string code = read(fs::path(HEFT_SOURCE_DIR) / "src/text/encode.cc");
    const std::string prose = read(real() / "text" / "frankenstein.txt");
    Rng rng(17);
    std::string out;
    const auto slice = [&rng](const std::string& from, std::size_t most) {
        const std::size_t at = rng.next() % from.size();
        return to_valid_utf8(std::string_view(from).substr(at, rng.next() % most));
    };
    while (out.size() < bytes) {
        switch (rng.next() % 7) {
            case 0: out += slice(code, 300); break;
            case 1: out += slice(prose, 300); break;
            case 2:
                for (auto n = rng.next() % 40; n > 0; --n)
                    append_utf8(out, static_cast<char32_t>(0x4E00 + rng.next() % 0x5000));
                break;
            case 3:
                for (auto n = rng.next() % 8; n > 0; --n)
                    append_utf8(out, static_cast<char32_t>(0x1F300 + rng.next() % 0x400));
                out += "👨‍👩‍👧 e\u0301\u0323 ";
                break;
            case 4: out += std::to_string(rng.next() % 10'000'000) + " "; break;
            case 5: out += std::string(rng.next() % 12, " \n\t\r"[rng.next() % 4]); break;
            default:
                for (auto n = broken ? rng.next() % 6 : 0; n > 0; --n)
                    out += static_cast<char>(rng.next());
        }
    }
    return out;
}

// Reports the first place of a difference, not two million numbers.
void expect_equal(const Ids& a, const Ids& b, const std::string& what) {
    const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    EXPECT_TRUE(a == b) << what << ": differs at token " << left - a.begin() << " of " << a.size()
                        << " and " << b.size();
}

std::optional<Tokenizer> opened(Result<Tokenizer> tokenizer, const std::string& what) {
    EXPECT_TRUE(tokenizer) << what << ": " << (tokenizer ? "" : tokenizer.error().what);
    if (!tokenizer) return {};
    return std::move(*tokenizer);
}

std::optional<Tokenizer> through_gguf(const Tokenizer& tokenizer, const std::string& what) {
    TestMetadata metadata;
    metadata.vocabulary(tokenizer.vocabulary());
    const SpecialTokens& special = tokenizer.special();
    if (special.unk)
        metadata.integer("tokenizer.ggml.unknown_token_id",
                         static_cast<std::uint32_t>(*special.unk));
    return opened(Tokenizer::from_gguf(metadata.get()), what + " through GGUF");
}

void expect_keeps(const Tokenizer& tokenizer, std::string_view text, const std::string& what) {
    const auto whole = tokenizer.decode(tokenizer.encode(text, kPlain));
    ASSERT_TRUE(whole);
    EXPECT_TRUE(*whole == text) << what;
}

// The tokenizer.json that a rank file's publisher has beside it.
std::string json_of_ranks(const Tokenizer& ranks, const std::string& pattern) {
    const Vocabulary& words = ranks.vocabulary();
    Json out = {{"model", {{"type", "BPE"}, {"ignore_merges", true}, {"merges", words.merges}}}};
    Json& vocab = out["model"]["vocab"] = Json::object();
    Json& added = out["added_tokens"] = Json::array();
    for (std::size_t id = 0; id < words.tokens.size(); ++id) {
        if (words.kinds[id] == TokenKind::normal)
            vocab[words.tokens[id]] = id;
        else if (words.kinds[id] == TokenKind::control)
            added.push_back({{"id", id}, {"content", words.tokens[id]}, {"special", true}});
    }
    const Json split = {{"type", "Split"},
                        {"pattern", {{"Regex", pattern}}},
                        {"behavior", "Isolated"},
                        {"invert", false}};
    const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
    out["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}};
    out["decoder"] = {{"type", "ByteLevel"}};
    return out.dump();
}

constexpr std::string_view kCl100k =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct RankFile {
    std::string_view path;
    std::string_view pattern;
    int size;
    std::string_view special;  // one of its tokens, and its id
    TokenId id;
};
constexpr std::array<RankFile, 6> kRankFiles{
    {{"llama3/tokenizer.model", kCl100k, 128256, "<|eot_id|>", 128009},
     {"llama4/tokenizer.model", kO200k, 202048, "<|header_start|>", 200005},
     {"tiktoken/o200k_base.tiktoken", kO200k, 201088, "<|channel|>", 200005},
     {"tiktoken/cl100k_base.tiktoken", kCl100k, 100277, "<|endoftext|>", 100257},
     {"tiktoken/p50k_base.tiktoken", kGpt2, 50281, "<|endoftext|>", 50256},
     {"tiktoken/r50k_base.tiktoken", kGpt2, 50257, "<|endoftext|>", 50256}}};

TEST(Routes, RankFilesAndTheirTokenizerJsonAgree) {
    const fs::path folder = real() / "tokenizers";
    HEFT_NEED_SHARED(folder);
    const std::string text = mixed_text(kTextBytes, true);
    for (const RankFile& row : kRankFiles) {
        const std::string what(row.path);
        const std::string file = read(folder / row.path);
        const auto ranks = opened(Tokenizer::from_model_file(as_bytes(file), ""), what);
        ASSERT_TRUE(ranks);
        EXPECT_EQ(ranks->size(), row.size) << what;
        EXPECT_EQ(ranks->find(row.special), row.id) << what;
        const Ids ids = ranks->encode(text, kPlain);
        expect_keeps(*ranks, text, what);
        const auto json = opened(
            Tokenizer::from_tokenizer_json(json_of_ranks(*ranks, std::string(row.pattern)), ""),
            what);
        ASSERT_TRUE(json);
        expect_equal(json->encode(text, kPlain), ids, what + " as tokenizer.json");
        const auto gguf = through_gguf(*ranks, what);
        ASSERT_TRUE(gguf);
        expect_equal(gguf->encode(text, kPlain), ids, what + " as GGUF");
    }
}

// The merges that Llama 3 was published with are those that its ranks say.
TEST(Routes, MergesOfRanksAreThePublishedOnes) {
    const fs::path folder = real() / "tokenizers";
    HEFT_NEED_SHARED(folder / "llama3.2-ollama");
    const std::string file = read(folder / "llama3/tokenizer.model");
    const auto ranks = opened(Tokenizer::from_model_file(as_bytes(file), ""), "llama3");
    ASSERT_TRUE(ranks);
    std::string merges;
    for (const auto& merge : ranks->vocabulary().merges) merges.append(merge).append("\n");
    const std::string published = read(folder / "llama3.2-ollama/vocab.bpe");
    EXPECT_TRUE(merges == published || merges == published + "\n");
}

// tekken.json made of a rank file: the ids move up by the number of control tokens.
TEST(Routes, TekkenIsRanksWithControlTokensFirst) {
    const fs::path folder = real() / "tokenizers";
    HEFT_NEED_SHARED(folder);
    const std::string file = read(folder / "tiktoken/r50k_base.tiktoken");
    const auto ranks = opened(Tokenizer::from_model_file(as_bytes(file), ""), "r50k");
    ASSERT_TRUE(ranks);
    constexpr TokenId kSpecial = 100;
    Json out = {{"config",
                 {{"pattern", kGpt2},
                  {"default_vocab_size", 50256 + kSpecial},
                  {"default_num_special_tokens", kSpecial},
                  {"version", "v7"}}}};
    std::istringstream lines(file);
    std::string token;
    for (int rank = 0; lines >> token >> rank;)
        out["vocab"].push_back({{"rank", rank}, {"token_bytes", token}, {"token_str", nullptr}});
    const auto tekken = opened(Tokenizer::from_tekken(out.dump()), "tekken");
    ASSERT_TRUE(tekken);
    EXPECT_EQ(tekken->find("[INST]"), 3);
    EXPECT_EQ(tekken->find("<SPECIAL_99>"), 99);
    EXPECT_EQ(tekken->special().bos, 1);
    const std::string text = mixed_text(100'000, true);
    Ids expected = ranks->encode(text, kPlain);
    for (TokenId& id : expected) id += kSpecial;
    expect_equal(tekken->encode(text, kPlain), expected, "tekken");
    EXPECT_EQ(tekken->encode("[INST]a", {.add_special = true, .parse_special = true}).front(), 1);
}

TEST(Routes, SentencePieceModelsAgreeWithTheirOtherFiles) {
    const fs::path folder = real() / "tokenizers";
    HEFT_NEED_SHARED(folder);
    const std::string text = mixed_text(kTextBytes, true);
    const std::string model = read(folder / "llama2/tokenizer.model");
    const auto spm = opened(Tokenizer::from_model_file(as_bytes(model), ""), "llama2");
    const auto json =
        opened(Tokenizer::from_tokenizer_json(read(folder / "llama2/tokenizer.json"), ""), "json");
    ASSERT_TRUE(spm && json);
    const Ids ids = spm->encode(text, kPlain);
    expect_keeps(*spm, text, "llama2");
    expect_equal(json->encode(text, kPlain), ids, "llama2 as tokenizer.json");
    for (const auto& entry : fs::directory_iterator(folder / "mistral")) {
        const std::string what = entry.path().filename();
        const std::string file = read(entry.path());
        const auto one = opened(Tokenizer::from_model_file(as_bytes(file), ""), what);
        ASSERT_TRUE(one);
        expect_keeps(*one, text, what);
        const auto gguf = through_gguf(*one, what);
        ASSERT_TRUE(gguf);
        expect_equal(gguf->encode(text, kPlain), one->encode(text, kPlain), what);
    }
}

// A real list of pieces as a Unigram model with a character map: as .model, tokenizer.json, GGUF.
TEST(Routes, UnigramModelsAgreeWithTheirOtherFiles) {
    const fs::path folder = real() / "tokenizers";
    HEFT_NEED_SHARED(folder);
    const std::string map = testing::charsmap_blob(
        {{"\n", " "}, {"\t", " "}, {"\r", " "}, {"é", "e"}, {"ﬁ", "fi"}, {"\u3000", " "}});
    const std::string trainer("\x18\x01", 2);
    const std::string normaliser =
        testing::proto_field(2, map) + std::string("\x18\x01\x20\x01\x28\x01", 6);
    const std::string model = read(folder / "llama2/tokenizer.model")
                              + testing::proto_field(2, trainer)
                              + testing::proto_field(3, normaliser);
    const auto spm = opened(Tokenizer::from_model_file(as_bytes(model), ""), "unigram");
    ASSERT_TRUE(spm);
    EXPECT_EQ(spm->description(), "SentencePiece Unigram");

    const Vocabulary& words = spm->vocabulary();
    Json out = {{"model", {{"type", "Unigram"}, {"unk_id", 0}, {"byte_fallback", true}}}};
    for (std::size_t id = 0; id < words.tokens.size(); ++id)
        out["model"]["vocab"].push_back({words.tokens[id], words.scores[id]});
    for (int id = 0; id < 3; ++id)
        out["added_tokens"].push_back({{"id", id},
                                       {"content", words.tokens[static_cast<std::size_t>(id)]},
                                       {"special", true},
                                       {"normalized", false}});
    out["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", testing::base64(map)}};
    const Json split = {{"type", "Split"},
                        {"pattern", {{"Regex", " +"}}},
                        {"behavior", "Removed"},
                        {"invert", false}};
    const Json mark = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}};
    out["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, mark}}};
    out["decoder"] = {{"type", "Sequence"},
                      {"decoders",
                       {{{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}},
                        {{"type", "ByteFallback"}}}}};
    const auto json = opened(Tokenizer::from_tokenizer_json(out.dump(), ""), "unigram json");
    const auto gguf = through_gguf(*spm, "unigram");
    ASSERT_TRUE(json && gguf);
    const std::string text = mixed_text(kTextBytes, true);
    const Ids ids = spm->encode(text, kPlain);
    expect_equal(gguf->encode(text, kPlain), ids, "unigram as GGUF");
    expect_equal(json->encode(text, kPlain), ids, "unigram as tokenizer.json");
    EXPECT_EQ(*json->decode(ids), *spm->decode(ids));
    EXPECT_EQ(*gguf->decode(ids), *spm->decode(ids));
    EXPECT_EQ(*spm->decode(spm->encode("  caf\u00E9\n\nﬁn 🙂 ", kPlain)), "cafe fin 🙂");
}

TEST(Routes, RwkvTakesTheLongestToken) {
    const fs::path path = real() / "tokenizers/rwkv/rwkv_world_vocab.txt";
    HEFT_NEED_SHARED(path);
    const auto rwkv = opened(Tokenizer::from_rwkv(read(path), ""), "rwkv");
    ASSERT_TRUE(rwkv);
    const std::string text = mixed_text(kTextBytes, true);
    expect_keeps(*rwkv, text, "rwkv");
    const auto gguf = through_gguf(*rwkv, "rwkv");
    ASSERT_TRUE(gguf);
    expect_equal(gguf->encode(text, kPlain), rwkv->encode(text, kPlain), "rwkv as GGUF");
    // Greedy by definition, on a slice.
    const std::string part = text.substr(0, 3000);
    std::map<std::string, TokenId> tokens;
    for (TokenId id = 1; id < rwkv->size(); ++id)
        if (!rwkv->bytes_of(id).empty()) tokens.emplace(std::string(rwkv->bytes_of(id)), id);
    Ids expected;
    for (std::size_t at = 0; at < part.size();) {
        std::size_t bytes = std::min<std::size_t>(part.size() - at, 200);
        while (tokens.count(part.substr(at, bytes)) == 0) --bytes;
        expected.push_back(tokens[part.substr(at, bytes)]);
        at += bytes;
    }
    expect_equal(rwkv->encode(part, kPlain), expected, "rwkv");
}

TEST(Published, EveryTokenizerFileLoadsAndKeepsText) {
    const fs::path folder = real() / "tokenizers";
    HEFT_NEED_SHARED(folder);
    const std::string text = mixed_text(kTextBytes / 5, false);
    for (const char* name :
         {"olmo/allenai_dolma2.json", "olmo/allenai_eleuther-ai-gpt-neox-20b-pii-special.json",
          "olmo/allenai_gpt-neox-olmo-dolma-v1_5.json"}) {
        const auto one = opened(Tokenizer::from_tokenizer_json(read(folder / name), ""), name);
        ASSERT_TRUE(one);
        expect_keeps(*one, read(real() / "text" / "frankenstein.txt"), name);
    }
    EXPECT_TRUE(opened(Tokenizer::from_tokenizer_json(read(folder / "mini_llama.json"), ""),
                       "mini_llama.json"));
    const fs::path configs = real() / "model-configs" / "xft";
    for (const auto& entry : fs::directory_iterator(configs)) {
        if (!fs::exists(entry.path() / "tokenizer.model")) continue;
        const std::string what = entry.path().filename();
        const std::string file = read(entry.path() / "tokenizer.model");
        const auto one = opened(Tokenizer::from_model_file(as_bytes(file), ""), what);
        ASSERT_TRUE(one);
        if (!one->lacking_bytes().empty()) continue;
        const auto ids = one->encode(text, kPlain);
        EXPECT_FALSE(ids.empty()) << what;
    }
    // Files of other programs, which are not tokenizers of a checkpoint.
    EXPECT_FALSE(Tokenizer::from_tokenizer_json(read(folder / "rwkv/rwkv_orig_vocab.json"), ""));
    const std::string bin = read(folder / "llama2/tokenizer.bin");
    EXPECT_FALSE(Tokenizer::from_model_file(as_bytes(bin), ""));
}

// Seconds for texts that make a careless tokenizer quadratic.
TEST(Published, MonotonousTextsTakeNoLonger) {
    const fs::path folder = real() / "tokenizers";
    HEFT_NEED_SHARED(folder);
    constexpr std::size_t kBytes = kTextBytes / 5 * 2;
    std::string word;
    Rng rng(4);
    while (word.size() < kBytes) word += static_cast<char>('a' + rng.next() % 26);
    std::string marks = "e";
    while (marks.size() < kBytes) marks += "\u0301\u0323";
    const std::vector<std::string> texts{std::string(kBytes, 'a'),
                                         std::string(kBytes, ' '),
                                         std::string(kBytes, '\n'),
                                         std::string(kBytes, '7'),
                                         std::string(kBytes, '-'),
                                         std::string(kBytes, '\xFF'),
                                         word,
                                         marks};
    std::vector<std::optional<Tokenizer>> all;
    for (const char* name :
         {"llama3/tokenizer.model", "llama4/tokenizer.model", "llama2/tokenizer.model"}) {
        const std::string file = read(folder / name);
        all.push_back(opened(Tokenizer::from_model_file(as_bytes(file), ""), name));
    }
    const std::string unigram = read(folder / "llama2/tokenizer.model")
                                + testing::proto_field(2, std::string("\x18\x01", 2));
    all.push_back(opened(Tokenizer::from_model_file(as_bytes(unigram), ""), "unigram"));
    all.push_back(
        opened(Tokenizer::from_rwkv(read(folder / "rwkv/rwkv_world_vocab.txt"), ""), "rwkv"));
    for (const auto& tokenizer : all) {
        ASSERT_TRUE(tokenizer);
        for (const std::string& text : texts) {
            const auto start = std::chrono::steady_clock::now();
            const Ids ids = tokenizer->encode(text, kPlain);
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
            EXPECT_LT(took.count(), 5) << tokenizer->description() << " " << text.substr(0, 10);
            EXPECT_FALSE(ids.empty());
        }
    }
}

}  // namespace
}  // namespace heft::text
