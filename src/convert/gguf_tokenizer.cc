#include <algorithm>

#include "convert/gguf_keys.h"
#include "convert/tokenizer_trial.h"
#include "format/checkpoint.h"

namespace heft::convert {

namespace {

using text::TokenId;
using text::Tokenizer;
using text::TokenKind;
using text::Vocabulary;

// GGUF's numbers of token kinds.
std::int32_t kind_number(TokenKind kind) {
    switch (kind) {
        case TokenKind::normal: return 1;
        case TokenKind::unknown: return 2;
        case TokenKind::control: return 3;
        case TokenKind::user_defined: return 4;
        case TokenKind::unused: return 5;
        case TokenKind::byte: return 6;
    }
    return 1;
}

// Published models have up to some thousand rows more than tokens.
constexpr std::int64_t kMostPadding = 1 << 16;

// A token for every row of the embedding: other readers take the number of one for that of the
// other.
void pad(std::int64_t n_rows, Vocabulary& words) {
    const std::size_t before = words.tokens.size();
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(n_rows, 0));
    if (wanted <= before || wanted - before > kMostPadding) return;
    for (std::size_t id = before; id < wanted; ++id)
        words.tokens.push_back("[PAD" + std::to_string(id) + "]");
    words.kinds.resize(wanted, TokenKind::unused);
    constexpr float kNeverMade = -1000;
    if (!words.scores.empty()) words.scores.resize(wanted, kNeverMade);
}

void set_ids(format::GgufWriter& writer, const Vocabulary& words,
             const text::SpecialTokens& special) {
    const auto id = [&writer](const char* key, const std::optional<TokenId>& value) {
        if (value) writer.set(key, static_cast<std::uint32_t>(*value));
    };
    id("tokenizer.ggml.bos_token_id", special.bos);
    id("tokenizer.ggml.eos_token_id", special.eos);
    if (words.model == "bert") id("tokenizer.ggml.seperator_token_id", special.eos);  // so spelled
    id("tokenizer.ggml.unknown_token_id", special.unk);
    id("tokenizer.ggml.padding_token_id", special.pad);
    writer.set("tokenizer.ggml.add_bos_token", special.add_bos && special.bos.has_value());
    writer.set("tokenizer.ggml.add_eos_token", special.add_eos && special.eos.has_value());
}

void set_words(format::GgufWriter& writer, const Vocabulary& words) {
    writer.set_string("tokenizer.ggml.model", words.model);
    writer.set_string("tokenizer.ggml.pre", words.pre);
    writer.set_strings("tokenizer.ggml.tokens", words.tokens);
    if (!words.scores.empty())
        writer.set_array<float>("tokenizer.ggml.scores", std::span<const float>(words.scores));
    std::vector<std::int32_t> kinds;
    kinds.reserve(words.kinds.size());
    for (const TokenKind kind : words.kinds) kinds.push_back(kind_number(kind));
    writer.set_array<std::int32_t>("tokenizer.ggml.token_type",
                                   std::span<const std::int32_t>(kinds));
    if (!words.merges.empty()) writer.set_strings("tokenizer.ggml.merges", words.merges);
}

// What becomes of a text before it is cut.
void set_rules(format::GgufWriter& writer, const Vocabulary& words) {
    writer.set("tokenizer.ggml.add_space_prefix", words.add_space_prefix);
    if (words.model == "bert") {
        writer.set("tokenizer.ggml.normalizer.lowercase", words.lowercase);
        writer.set("tokenizer.ggml.normalizer.strip_accents", words.strip_accents);
    }
    if (words.model != "t5") return;
    writer.set("tokenizer.ggml.remove_extra_whitespaces", words.remove_extra_whitespaces);
    const std::string& map = words.precompiled_charsmap;
    const std::vector<std::uint8_t> bytes(map.begin(), map.end());
    if (!bytes.empty())
        writer.set_array<std::uint8_t>("tokenizer.ggml.precompiled_charsmap",
                                       std::span<const std::uint8_t>(bytes));
}

// Readers of GGUF have one set of rules for WordPiece, BERT's, with two options.
Status try_out(const format::GgufWriter& writer, const Tokenizer& own) {
    HEFT_TRY(const std::vector<std::byte> bytes, writer.to_memory());
    HEFT_TRY(const format::Checkpoint file, format::Checkpoint::from_gguf(bytes, "GGUF"));
    HEFT_TRY(const Tokenizer made, Tokenizer::from_gguf(file.metadata()));
    // There is no key for what is put between words when tokens become a text.
    const auto text = first_difference(own, made, Compared::ids);
    if (!text) return {};
    return Error{Code::unsupported,
                 "GGUF has no keys for the rules of this tokenizer: by those that it has, \""
                     + *text + "\" would be cut differently; keep the model in its own format"};
}

}  // namespace

Status set_tokenizer(format::GgufWriter& writer, const Tokenizer& tokenizer, std::int64_t n_rows) {
    Vocabulary words = tokenizer.vocabulary();
    if (words.model.empty())
        return Error{Code::unsupported, "GGUF has no name for a tokenizer of this kind: "
                                            + std::string(tokenizer.description())};
    if (words.pre.empty())
        return Error{Code::unsupported,
                     "GGUF has no name (tokenizer.ggml.pre) for the rules by which this tokenizer "
                     "cuts a text into words; keep the model in its own format"};
    pad(n_rows, words);
    const auto set_all = [&](format::GgufWriter& to) {
        set_words(to, words);
        set_ids(to, words, tokenizer.special());
        set_rules(to, words);
    };
    set_all(writer);
    if (words.model != "bert") return {};
    format::GgufWriter alone;
    set_all(alone);
    return try_out(alone, tokenizer);
}

}  // namespace heft::convert
