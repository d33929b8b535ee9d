#include "convert/gguf_keys.h"

#include <algorithm>
#include <cmath>

namespace heft::convert {

namespace {

// GGUF's numbers of token kinds.
std::int32_t kind_number(text::TokenKind kind) {
    switch (kind) {
        case text::TokenKind::normal: return 1;
        case text::TokenKind::unknown: return 2;
        case text::TokenKind::control: return 3;
        case text::TokenKind::user_defined: return 4;
        case text::TokenKind::unused: return 5;
        case text::TokenKind::byte: return 6;
    }
    return 1;
}

void set_rope(format::GgufWriter& writer, const std::string& prefix, const arch::Config& config) {
    const arch::Rope& rope = config.rope;
    const auto number = [&](const char* key, double value) {
        writer.set(prefix + key, static_cast<float>(value));
    };
    number("rope.freq_base", rope.theta);
    writer.set(prefix + "rope.dimension_count", static_cast<std::uint32_t>(rope.dim));
    switch (rope.scaling) {
        case arch::Scaling::none:
        case arch::Scaling::llama3: return;  // llama3's divisors are a tensor
        case arch::Scaling::linear:
            writer.set_string(prefix + "rope.scaling.type", "linear");
            number("rope.scaling.factor", rope.factor);
            return;
        case arch::Scaling::yarn:
            writer.set_string(prefix + "rope.scaling.type", "yarn");
            number("rope.scaling.factor", rope.factor);
            number("rope.scaling.yarn_beta_fast", rope.beta_fast);
            number("rope.scaling.yarn_beta_slow", rope.beta_slow);
            if (rope.magnitude > 0 && rope.factor > 1)
                number("rope.scaling.attn_factor",
                       rope.magnitude / (0.1 * std::log(rope.factor) + 1));
            break;
        case arch::Scaling::longrope:  // its factors are tensors
            number("rope.scaling.attn_factor",
                   arch::rope_table(rope, config.n_ctx, true).magnitude);
            break;
    }
    writer.set(prefix + "rope.scaling.original_context_length",
               static_cast<std::uint32_t>(rope.original_ctx));
}

}  // namespace

Status set_config(format::GgufWriter& writer, const arch::Config& config) {
    const std::string prefix = std::string(config.family->gguf) + ".";
    const auto size = [&](const char* key, std::int64_t value) {
        writer.set(prefix + key, static_cast<std::uint32_t>(value));
    };
    writer.set_string("general.architecture", config.family->gguf);
    size("vocab_size", config.n_vocab);
    size("context_length", config.n_ctx);
    size("embedding_length", config.d_model);
    size("block_count", config.n_layer);
    size("feed_forward_length", config.d_ff);
    size("attention.head_count", config.n_head);
    size("attention.head_count_kv", config.n_kv);
    size("attention.key_length", config.d_head);
    size("attention.value_length", config.d_head);
    writer.set(prefix + "attention.layer_norm_rms_epsilon", config.norm_eps);
    if (config.window > 0) {
        if (std::find(config.sliding.begin(), config.sliding.end(), false) != config.sliding.end())
            return Error{Code::unsupported,
                         "GGUF has no key for windows that only some layers of this family use"};
        size("attention.sliding_window", config.window);
    }
    set_rope(writer, prefix, config);
    return {};
}

void set_tokenizer(format::GgufWriter& writer, const text::Tokenizer& tokenizer) {
    const text::Vocabulary& words = tokenizer.vocabulary();
    const text::SpecialTokens& special = tokenizer.special();
    writer.set_string("tokenizer.ggml.model", words.model);
    if (!words.pre.empty()) writer.set_string("tokenizer.ggml.pre", words.pre);
    writer.set_strings("tokenizer.ggml.tokens", words.tokens);
    if (!words.scores.empty())
        writer.set_array<float>("tokenizer.ggml.scores", std::span<const float>(words.scores));
    std::vector<std::int32_t> kinds;
    kinds.reserve(words.kinds.size());
    for (const text::TokenKind kind : words.kinds) kinds.push_back(kind_number(kind));
    writer.set_array<std::int32_t>("tokenizer.ggml.token_type",
                                   std::span<const std::int32_t>(kinds));
    if (!words.merges.empty()) writer.set_strings("tokenizer.ggml.merges", words.merges);
    const auto id = [&writer](const char* key, const std::optional<text::TokenId>& value) {
        if (value) writer.set(key, static_cast<std::uint32_t>(*value));
    };
    id("tokenizer.ggml.bos_token_id", special.bos);
    id("tokenizer.ggml.eos_token_id", special.eos);
    id("tokenizer.ggml.unknown_token_id", special.unk);
    id("tokenizer.ggml.padding_token_id", special.pad);
    writer.set("tokenizer.ggml.add_bos_token", special.add_bos);
    writer.set("tokenizer.ggml.add_eos_token", special.add_eos);
    writer.set("tokenizer.ggml.add_space_prefix", words.add_space_prefix);
}

}  // namespace heft::convert
