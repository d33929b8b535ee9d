// The table of pre-tokenizers. The patterns are those of the models' own tokenizer.json files, in a
// spelling that PCRE2 takes.
#include <algorithm>
#include <utility>

#include "text/pretokenise.h"

namespace heft::text {

namespace {

#define HEFT_CONTRACTIONS R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))"

constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kNumbers = R"(\p{N}+)";
constexpr std::string_view kDigits = R"(\p{N}{1,3})";
constexpr std::string_view kLlama3 =
    HEFT_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
                      R"(|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    HEFT_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
                      R"(|\s+(?!\S)|\s+)";
// Jais 2: runs of spaces in powers of two.
constexpr std::string_view kJais2 = HEFT_CONTRACTIONS
    R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
    R"(|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S))"
    R"(|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})";
constexpr std::string_view kMinicpm5 =
    HEFT_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*)"
                      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kExaoneMoe =
    HEFT_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N})"
                      R"(| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    HEFT_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)"
                      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

#define HEFT_UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define HEFT_LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?)" HEFT_UPPER "*" HEFT_LOWER "+" HEFT_CONTRACTIONS
    R"(?|[^\r\n\p{L}\p{N}]?)" HEFT_UPPER "+" HEFT_LOWER "*" HEFT_CONTRACTIONS
    R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Kimi's: Han characters are words by themselves.
#define HEFT_UPPER_NO_HAN R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]])"
#define HEFT_LOWER_NO_HAN R"([\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]])"
constexpr std::string_view kKimi =
    R"([\p{Han}]+|[^\r\n\p{L}\p{N}]?)" HEFT_UPPER_NO_HAN "*" HEFT_LOWER_NO_HAN "+" HEFT_CONTRACTIONS
    R"(?|[^\r\n\p{L}\p{N}]?)" HEFT_UPPER_NO_HAN "+" HEFT_LOWER_NO_HAN "*" HEFT_CONTRACTIONS
    R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
#undef HEFT_UPPER_NO_HAN
#undef HEFT_LOWER_NO_HAN
// Youtu's second pattern is gpt-4o's with single digits.
constexpr std::string_view kYoutu =
    R"([^\r\n\p{L}\p{N}]?)" HEFT_UPPER "*" HEFT_LOWER "+" HEFT_CONTRACTIONS
    R"(?|[^\r\n\p{L}\p{N}]?)" HEFT_UPPER "+" HEFT_LOWER "*" HEFT_CONTRACTIONS
    R"(?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kYoutuScripts =
    R"([\x{ac00}-\x{d7a3}\x{3131}-\x{318e}]+)"
    R"(|[\x{ff01}\x{2026}\x{201c}\x{201d}\x{2018}\x{2019}\x{2014}\x{ff1a}\x{ff1b}\x{ff0c})"
    R"(\x{3001}-\x{303f}\x{fe30}-\x{fe4f}]+|[\x{3105}-\x{312f}]+)"
    R"(|[\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?)" HEFT_UPPER "*" HEFT_LOWER
    "+"
    R"(|[^\r\n\p{L}\p{N}]?)" HEFT_UPPER "+" HEFT_LOWER
    "*"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
#undef HEFT_UPPER
#undef HEFT_LOWER

constexpr std::string_view kLineBreak = R"([\r\n])";
constexpr std::string_view kHan = R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)";
constexpr std::string_view kDeepseekLetters =
    R"(\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293})"
    R"(\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a})"
    R"(\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556})"
    R"(\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf})"
    R"(\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d})"
    R"(\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d})"
    R"(\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4})"
    R"(\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4})"
    R"(\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124})"
    R"(\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f})"
    R"(\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"
    R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f})"
    R"(\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17})"
    R"(\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3})"
    R"(\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df})"
    R"(\x{1e900}-\x{1e943}]+)";
constexpr std::string_view kDeepseekSymbols =
    R"(\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+)";
// \s+$ without its quadratic search: a run of spaces is tried once, from its start.
constexpr std::string_view kTrailingSpaces = R"((?<!\s)\s++\z)";
constexpr std::string_view kHanKana = R"([\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+)";
constexpr std::string_view kDeepseek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
    R"(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kPunctuation = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr std::string_view kPunctuationOld = R"([\p{P}\$\+<=>\^~\|]+)";
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kBloom =
    R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{ff0c}\x{3001}\x{964}\x{6d4}\x{60c})]+)";
constexpr std::string_view kBailing =
    R"('(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder =
    HEFT_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+)"
                      R"(|\s+(?!\S)|\s+)";
constexpr std::string_view kNoContractions =
    R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSpark =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
    R"(| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kTrinityScripts =
    R"([\x{4e00}-\x{9fff}\x{3400}-\x{4dbf}\x{f900}-\x{faff}\x{3040}-\x{309f}\x{30a0}-\x{30ff})"
    R"(\x{ff65}-\x{ff9f}\x{2f00}-\x{2fdf}\x{e40}-\x{e7f}\x{e80}-\x{eff}\x{1780}-\x{17ff})"
    R"(\x{1000}-\x{109f}\x{aa60}-\x{aa7f}\x{a9e0}-\x{a9ff}\x{ac00}-\x{d7af})"
    R"(\x{1100}-\x{11ff}]+)";
constexpr std::string_view kNumberGroups = R"(\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))";
constexpr std::string_view kDigitBorders = R"((?=(\d{3})+(?!\d)))";
constexpr std::string_view kLines = R"([^\n]+|[\n]+)";
constexpr std::string_view kAsciiPunctuation = R"([\p{P}!-/:-@\[-`{-~])";
constexpr std::string_view kCohereNumbers = R"(\d{1,3}(?=(?:\d{3})*\b))";
#undef HEFT_CONTRACTIONS

PreTokenizerRow plain(std::string_view name, std::vector<std::string_view> patterns) {
    return {name, std::move(patterns)};
}

PreTokenizerRow marked(std::string_view name) {
    return {name, {kLines}, false, false, true};
}

// As Llama 3 has it: a word that is a token stays whole, and texts begin with BOS.
PreTokenizerRow whole_words(std::string_view name, std::string_view pattern) {
    return {name, {pattern}, true, true, false};
}

const std::vector<PreTokenizerRow>& rows() {  // NOLINT(readability-function-size): a table
    // Of rows with equal patterns the first is the name that pre_tokenizer_name() gives.
    static const std::vector<PreTokenizerRow> kTable{
        plain("gpt-2", {kGpt2Pattern}),
        plain("default", {kPunctuationOld, kGpt2Pattern, kNumbers, kThreeDigits}),
        whole_words("llama-bpe", kLlama3),
        whole_words("llama3", kLlama3),
        whole_words("llama-v3", kLlama3),
        whole_words("falcon3", kLlama3),
        whole_words("pixtral", kLlama3),
        whole_words("lfm2", kLlama3),
        whole_words("falcon-h1", kLlama3),
        whole_words("midm-2.0", kLlama3),
        whole_words("jina-v5-nano", kLlama3),
        plain("dbrx", {kLlama3}),
        plain("smaug-bpe", {kLlama3}),
        plain("chatglm-bpe", {kLlama3}),
        plain("glm4", {kLlama3}),
        plain("qwen2", {kQwen2}),
        plain("deepseek-r1-qwen", {kQwen2}),
        plain("megrez", {kQwen2}),
        plain("stablelm2", {kQwen2}),
        plain("hunyuan", {kQwen2}),
        plain("solar-open", {kQwen2}),
        plain("grok-2", {kQwen2}),
        plain("kormo", {kQwen2}),
        plain("f2llmv2", {kQwen2}),
        plain("qwen35", {kQwen35}),
        plain("ufakzeka", {kNoContractions}),
        plain("laguna", {kLines, kQwen2}),
        plain("exaone-moe", {kExaoneMoe}),
        plain("jais-2", {kJais2}),
        PreTokenizerRow{"minicpm5", {kDigits, kMinicpm5}, true},
        plain("deepseek-llm",
              {kLineBreak, kDeepseekLetters, kDeepseekSymbols, kTrailingSpaces, kHan, kNumbers}),
        plain("deepseek-coder", {kLineBreak, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kHan, kDigit}),
        plain("deepseek-v3", {kDigits, kHanKana, kDeepseek3}),
        plain("hunyuan-dense", {kDigits, kHanKana, kDeepseek3}),
        plain("joyai-llm", {kDigits, kHanKana, kDeepseek3}),
        plain("hy_v4", {kDigits, kHanKana, kDeepseek3}),
        plain("spark2_5", {kDigits, kHanKana, kSpark, kDigit}),
        plain("afmoe", {kNumberGroups, kTrinityScripts, kDeepseek3}),
        plain("falcon", {kPunctuation, kGpt2Pattern, kThreeDigits}),
        plain("mpt", {kGpt2Pattern}),
        plain("olmo", {kGpt2Pattern}),
        plain("phi-2", {kGpt2Pattern}),
        plain("jais", {kGpt2Pattern}),
        plain("trillion", {kGpt2Pattern}),
        plain("gigachat", {kGpt2Pattern}),
        plain("mellum", {kGpt2Pattern}),
        plain("modern-bert", {kGpt2Pattern}),
        plain("roberta-bpe", {kGpt2Pattern}),
        plain("jina-v1-en", {kGpt2Pattern}),
        plain("jina-v2-code", {kGpt2Pattern}),
        plain("a.x-4.0", {kGpt2Pattern}),
        plain("jina-es", {kGpt2Pattern}),
        plain("jina-de", {kGpt2Pattern}),
        plain("jina-v2-es", {kGpt2Pattern}),
        plain("jina-v2-de", {kGpt2Pattern}),
        plain("exaone4", {kGpt2Pattern}),
        plain("granite-docling", {kGpt2Pattern}),
        plain("starcoder", {kDigit, kGpt2Pattern}),
        plain("refact", {kDigit, kGpt2Pattern}),
        plain("command-r", {kDigit, kGpt2Pattern}),
        plain("smollm", {kDigit, kGpt2Pattern}),
        plain("codeshell", {kDigit, kGpt2Pattern}),
        plain("exaone", {kDigit, kGpt2Pattern}),
        plain("minerva-7b", {kDigit, kGpt2Pattern}),
        plain("mellum2", {kDigit, kGpt2Pattern}),
        PreTokenizerRow{"chameleon",
                        {"<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", R"([\t\n]|    |  )", kDigit,
                         kAsciiPunctuation, kGpt2Pattern},
                        false,
                        true},
        plain("gpt-4o", {kGpt4o}),
        plain("llama4", {kGpt4o}),
        plain("kanana2", {kGpt4o}),
        plain("minimax-m2", {kGpt4o}),
        plain("talkie", {kGpt4o}),
        PreTokenizerRow{"granite-embed-multi-97m", {kGpt4o}, true},
        plain("tiny_aya", {kCohereNumbers, kGpt4o}),
        plain("cohere2moe", {kCohereNumbers, kGpt4o}),
        PreTokenizerRow{"youtu", {kYoutuScripts, kYoutu}, true},
        PreTokenizerRow{"kimi-k2", {kKimi}, true},
        plain("superbpe", {kNumbers, kDigitBorders}),
        whole_words("tekken", kTekken),
        plain("bloom", {kBloom}),
        plain("poro-chat", {kBloom}),
        plain("gpt3-finnish", {kBloom}),
        plain("viking", {kBloom, kDigit}),
        plain("bailingmoe", {kBailing}),
        plain("bailingmoe2", {kBailing}),
        plain("llada-moe", {kBailing}),
        plain("seed-coder", {kSeedCoder}),
        PreTokenizerRow{"gemma4", {kLines}, false, true, true, true},
        marked("granite-embed-multi-311m"),
        marked("sarvam-moe"),
    };
    return kTable;
}

}  // namespace

const PreTokenizerRow* find_pre_tokenizer(std::string_view name) {
    const auto& table = rows();
    const auto row = std::find_if(table.begin(), table.end(),
                                  [name](const PreTokenizerRow& r) { return r.name == name; });
    return row == table.end() ? nullptr : &*row;
}

const PreTokenizerRow* usual_pre_tokenizer(std::string_view architecture) {
    struct Usual {
        std::string_view architecture, name;
    };
    static constexpr Usual kUsual[] = {
        {"gpt2", "gpt-2"},          {"gptneox", "gpt-2"},
        {"phi2", "phi-2"},          {"mpt", "mpt"},
        {"falcon", "falcon"},       {"bloom", "bloom"},
        {"starcoder", "starcoder"}, {"starcoder2", "starcoder"},
        {"codeshell", "codeshell"}, {"refact", "refact"},
        {"command-r", "command-r"}, {"olmo", "olmo"},
        {"qwen2", "qwen2"},         {"qwen2moe", "qwen2"},
    };
    for (const Usual& usual : kUsual)
        if (usual.architecture == architecture) return find_pre_tokenizer(usual.name);
    return nullptr;
}

std::string known_pre_tokenizers() {
    std::string names;
    for (const auto& row : rows()) names.append(names.empty() ? "" : ", ").append(row.name);
    return names;
}

std::string_view pre_tokenizer_name(const std::vector<std::string>& patterns, bool ignore_merges) {
    const auto& table = rows();
    const auto row = std::find_if(table.begin(), table.end(), [&](const PreTokenizerRow& r) {
        return r.ignore_merges == ignore_merges
               && std::equal(r.patterns.begin(), r.patterns.end(), patterns.begin(),
                             patterns.end());
    });
    return row == table.end() ? std::string_view{} : row->name;
}

}  // namespace heft::text
