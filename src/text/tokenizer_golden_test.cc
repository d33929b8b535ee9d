// Token ids against the stored results of the reference tokenizers.
#include <fstream>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "format/gguf.h"
#include "text/tokenizer.h"

namespace heft::text {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<TokenId>;
using Json = nlohmann::json;  // not ordered_json, which searches its keys one by one

constexpr std::size_t kWholeFile = std::size_t{1} << 30;

std::string read(const fs::path& path) {
    auto text = read_text(path, kWholeFile);
    EXPECT_TRUE(text) << path;
    return text ? *text : std::string{};
}

Result<Tokenizer> from_gguf(const fs::path& path) {
    HEFT_TRY(const MappedFile file, MappedFile::open(path));
    HEFT_TRY(const format::Gguf gguf, format::parse_gguf(file.bytes()));
    return Tokenizer::from_gguf(gguf.metadata);
}

struct Case {
    std::string text;
    Ids ids;
};

// Texts stand between lines "__ggml_vocab_test__"; each has a line of ids.
std::vector<Case> read_cases(const fs::path& stem) {
    constexpr std::string_view kBetween = "\n__ggml_vocab_test__\n";
    const std::string texts = read(stem.string() + ".inp");
    std::istringstream lines(read(stem.string() + ".out"));
    std::vector<Case> cases;
    std::size_t at = 0;
    for (std::size_t end = texts.find(kBetween); end != std::string::npos;
         end = texts.find(kBetween, at)) {
        Case one{texts.substr(at, end - at), {}};
        std::string line;
        std::getline(lines, line);
        std::istringstream ids(line);
        one.ids.assign(std::istream_iterator<TokenId>(ids), {});
        cases.push_back(std::move(one));
        at = end + kBetween.size();
    }
    return cases;
}

std::string decode(const Tokenizer& tokenizer, const Ids& ids) {
    auto text = tokenizer.decode(ids);
    EXPECT_TRUE(text);
    return text ? *text : std::string{};
}

std::string stream(const Tokenizer& tokenizer, const Ids& ids) {
    StreamDecoder decoder(tokenizer);
    std::string out;
    for (const TokenId id : ids) out += decoder.push(id);
    return out + decoder.finish();
}

void expect_cases(const Tokenizer& tokenizer, const std::vector<Case>& cases) {
    ASSERT_GE(cases.size(), 40U);
    for (const Case& one : cases) {
        const Ids ids = tokenizer.encode(one.text, {.add_special = false, .parse_special = false});
        EXPECT_EQ(ids, one.ids) << one.text;
        if (tokenizer.description() == "WordPiece") continue;  // keeps no case and no spaces
        EXPECT_EQ(decode(tokenizer, ids), one.text);
        EXPECT_EQ(stream(tokenizer, ids), one.text);
    }
}

TEST(GgmlVocab, IdsEqualTheStoredOnesAndDecodeToTheText) {
    const fs::path folder = testing::shared_data() / "real" / "ggml-vocab";
    HEFT_NEED_SHARED(folder);
    int checked = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".gguf") continue;
        SCOPED_TRACE(entry.path().filename());
        const auto tokenizer = from_gguf(entry.path());
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        if (!fs::exists(entry.path().string() + ".inp")) continue;
        expect_cases(*tokenizer, read_cases(entry.path()));
        ++checked;
    }
    EXPECT_GE(checked, 10);
}

// The Llama 3 vocabulary with its merges, put into the file that Llama 3 itself has.
std::string llama3_json(const fs::path& folder) {
    Json out = {{"model", {{"type", "BPE"}, {"ignore_merges", true}}}};
    out["model"]["vocab"] = Json::parse(read(folder / "encoder.json"));
    Json& merges = out["model"]["merges"] = Json::array();
    std::istringstream lines(read(folder / "vocab.bpe"));
    for (std::string line; std::getline(lines, line);)
        if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
    out["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"},
           {"pattern",
            {{"Regex", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                       R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
           {"behavior", "Isolated"},
           {"invert", false}},
          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
    return out.dump();
}

TEST(Llama3, IdsEqualTheStoredOnes) {
    const fs::path real = testing::shared_data() / "real";
    HEFT_NEED_SHARED(real / "tokenizers" / "llama3.2-ollama");
    const auto tokenizer =
        Tokenizer::from_tokenizer_json(llama3_json(real / "tokenizers" / "llama3.2-ollama"), "");
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    EXPECT_EQ(tokenizer->description(), "byte-level BPE (llama-bpe)");
    expect_cases(*tokenizer, read_cases(real / "ggml-vocab" / "ggml-vocab-llama-bpe.gguf"));
}

TEST(Llama2, ThreeFormatsAgreeWithTheStoredIds) {
    const fs::path real = testing::shared_data() / "real";
    HEFT_NEED_SHARED(real / "goldens" / "llama2-tokenizer-goldens.json");
    const fs::path folder = real / "tokenizers" / "llama2";
    const std::string json = read(folder / "tokenizer.json");
    const std::string model = read(folder / "tokenizer.model");
    const std::string config = read(folder / "tokenizer_config.json");
    std::vector<Result<Tokenizer>> all;
    all.push_back(Tokenizer::from_tokenizer_json(json, config));
    all.push_back(Tokenizer::from_sentencepiece(as_bytes(model), config));
    all.push_back(Tokenizer::from_sentencepiece(as_bytes(model), ""));
    all.push_back(from_gguf(real / "ggml-vocab" / "ggml-vocab-llama-spm.gguf"));
    const Json goldens = Json::parse(read(real / "goldens" / "llama2-tokenizer-goldens.json"));
    const auto cases = read_cases(real / "ggml-vocab" / "ggml-vocab-llama-spm.gguf");
    for (const auto& tokenizer : all) {
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        for (const auto& one : goldens["cases"]) {
            const auto text = one["text"].get<std::string>();
            const Ids ids = tokenizer->encode(text);
            EXPECT_EQ(ids, one["ids"].get<Ids>()) << text;
            EXPECT_EQ(decode(*tokenizer, ids), text);
        }
        expect_cases(*tokenizer, cases);
    }
}

// The definition of SentencePiece's BPE, on whole texts: no words, no heap, no memory of words.
Ids encode_slowly(const Tokenizer& tokenizer, std::string_view text) {
    std::vector<std::string> parts{"\u2581"};
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = utf8_at(text, at).bytes;
        parts.emplace_back(text[at] == ' ' ? "\u2581" : text.substr(at, bytes));
        at += bytes;
    }
    const auto& scores = tokenizer.vocabulary().scores;
    while (true) {
        std::size_t best = parts.size();
        float best_score = 0;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            const auto id = tokenizer.find(parts[i] + parts[i + 1]);
            if (!id || tokenizer.kind(*id) != TokenKind::normal) continue;
            const float score = scores[static_cast<std::size_t>(*id)];
            if (best < parts.size() && score <= best_score) continue;
            best = i;
            best_score = score;
        }
        if (best == parts.size()) break;
        parts[best] += parts[best + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    Ids ids;
    for (const auto& part : parts) {
        if (const auto id = tokenizer.find(part)) {
            ids.push_back(*id);
            continue;
        }
        for (const char c : part) ids.push_back(static_cast<std::uint8_t>(c) + 3);
    }
    return ids;
}

TEST(Llama2, RealTextsAreEncodedAsTheDefinitionSays) {
    const fs::path real = testing::shared_data() / "real";
    HEFT_NEED_SHARED(real / "text" / "war-and-peace.txt");
    const auto tokenizer = from_gguf(real / "ggml-vocab" / "ggml-vocab-llama-spm.gguf");
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    const std::string text = read(real / "text" / "war-and-peace.txt");
    for (const std::size_t at : {0U, 500'000U, 2'000'000U}) {
        const std::string part = to_valid_utf8(std::string_view(text).substr(at, 1500));
        EXPECT_EQ(tokenizer->encode(part, {.add_special = false, .parse_special = false}),
                  encode_slowly(*tokenizer, part));
    }
}

// Every vocabulary keeps a long real text, whole and streamed.
TEST(RealTexts, SurviveEveryVocabulary) {
    const fs::path real = testing::shared_data() / "real";
    HEFT_NEED_SHARED(real / "text" / "frankenstein.txt");
    const std::string text = read(real / "text" / "frankenstein.txt");
    for (const auto& entry : fs::directory_iterator(real / "ggml-vocab")) {
        if (entry.path().extension() != ".gguf") continue;
        const auto tokenizer = from_gguf(entry.path());
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        if (tokenizer->description() == "WordPiece") continue;
        const Ids ids = tokenizer->encode(text);
        EXPECT_TRUE(decode(*tokenizer, ids) == text) << entry.path();
        EXPECT_TRUE(stream(*tokenizer, ids) == text) << entry.path();
    }
}

struct Lacking {
    std::string_view name, bytes;
};

// Vocabularies that cannot say every byte: what they lack is told, and only that gets lost.
TEST(GgmlVocab, BytesThatNoTokenSaysAreTold) {
    const fs::path folder = testing::shared_data() / "real" / "ggml-vocab";
    HEFT_NEED_SHARED(folder);
    constexpr std::string_view kStarcoder =
        "\xC0\xC1\xF1\xF5\xF6\xF7\xF8\xF9\xFA\xFB\xFC\xFD\xFE\xFF";
    for (const auto& [name, bytes] :
         {Lacking{"gpt-2", ""}, Lacking{"starcoder", kStarcoder}, Lacking{"refact", kStarcoder},
          Lacking{"falcon",
                  "\x03\x04\x05\x0B\x11\x13\x14\x15\x16\x17\x19\x1C\x1D\x1E\xC0\xC1"
                  "\xF2\xF5\xF6\xF7\xF8\xF9\xFA\xFB\xFC\xFD\xFE\xFF"}}) {
        const auto tokenizer = from_gguf(folder / ("ggml-vocab-" + std::string(name) + ".gguf"));
        ASSERT_TRUE(tokenizer) << tokenizer.error().what;
        EXPECT_EQ(tokenizer->lacking_bytes(), bytes) << name;
        std::string all, kept;
        for (int byte = 0; byte < 256; ++byte) {
            all += static_cast<char>(byte);
            if (bytes.find(static_cast<char>(byte)) == std::string::npos)
                kept += static_cast<char>(byte);
        }
        EXPECT_EQ(decode(*tokenizer, tokenizer->encode(all)), kept) << name;
    }
}

TEST(OpenCheckpoints, IdsEqualTheStoredOnes) {
    const fs::path folder = testing::shared_data() / "golden" / "_tokenizer";
    HEFT_NEED_SHARED(folder);
    const auto tokenizer = Tokenizer::from_tokenizer_json(read(folder / "tokenizer.json"),
                                                          read(folder / "tokenizer_config.json"));
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    for (const auto& one : Json::parse(read(folder / "golden_tokens.json"))) {
        const auto text = one["text"].get<std::string>();
        const Ids ids = tokenizer->encode(text, {.add_special = true, .parse_special = true});
        EXPECT_EQ(ids, one["ids"].get<Ids>()) << text;
        const auto whole = tokenizer->decode(ids, true);
        ASSERT_TRUE(whole);
        EXPECT_EQ(*whole, text);
    }
}

TEST(Tiny, IdsEqualTheStoredOnes) {
    const fs::path folder = testing::shared_data() / "tiny";
    HEFT_NEED_SHARED(folder);
    const auto tokenizer = Tokenizer::from_tokenizer_json(read(folder / "tokenizer.json"),
                                                          read(folder / "tokenizer_config.json"));
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    EXPECT_TRUE(tokenizer->special().add_bos);
    const auto checkpoint = format::Checkpoint::open(folder);
    ASSERT_TRUE(checkpoint) << checkpoint.error().what;
    const auto loaded = Tokenizer::load(*checkpoint);
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_EQ(loaded->special().end_of_generation, Ids{3});
    EXPECT_EQ(loaded->special().bos, 1);

    int checked = 0;
    const Json golden = Json::parse(read(folder / "golden.json"));
    for (const auto& one : golden["prompts"]) {
        const auto text = one["text"].get<std::string>();
        const bool has_bos = text.starts_with("<|begin_of_text|>");
        const Ids ids = tokenizer->encode(text, {.add_special = !has_bos, .parse_special = true});
        EXPECT_EQ(ids, one["token_ids"].get<Ids>()) << text;
        ++checked;
    }
    EXPECT_GE(checked, 1);
}

}  // namespace
}  // namespace heft::text
