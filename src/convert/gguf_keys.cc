#include "convert/gguf_keys.h"

#include <algorithm>
#include <cmath>
#include <optional>

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

// Writes the keys of one architecture; what is as it is when the key is absent is left out.
class KeyWriter {
  public:
    KeyWriter(format::GgufWriter& writer, std::string prefix)
        : writer_(writer), prefix_(std::move(prefix)) {}

    void size(const char* key, std::int64_t value) {
        writer_.set(prefix_ + key, static_cast<std::uint32_t>(value));
    }
    void number(const char* key, double value) {
        writer_.set(prefix_ + key, static_cast<float>(value));
    }
    void flag(const char* key, bool value) { writer_.set(prefix_ + key, value); }
    void number_unless(double usual, const char* key, double value) {
        if (value != usual) number(key, value);
    }

  private:
    format::GgufWriter& writer_;
    std::string prefix_;
};

// The n for which all layers but every n-th slide; 1 if all do; nothing if no n says it.
std::optional<int> window_period(const arch::Config& config) {
    if (config.sliding.empty()) return 1;
    const auto first_full = std::find(config.sliding.begin(), config.sliding.end(), false);
    if (first_full == config.sliding.end()) return 1;
    const auto period = static_cast<int>(first_full - config.sliding.begin()) + 1;
    for (std::size_t i = 0; i < config.sliding.size(); ++i)
        if (config.sliding[i] == ((static_cast<int>(i) + 1) % period == 0)) return {};
    return period;
}

Status set_windows(KeyWriter& keys, const arch::Config& config) {
    if (config.window == 0) return {};
    if (config.chunked) {
        keys.size("attention.chunk_size", config.window);
        return {};
    }
    const auto period = window_period(config);
    if (!period || (*period > 1 && config.family->window != arch::Window::periodic))
        return Error{Code::unsupported,
                     "GGUF has no key for windows that only some layers of this family use"};
    keys.size("attention.sliding_window", config.window);
    if (*period > 1) keys.size("attention.sliding_window_pattern", *period);
    return {};
}

void set_attention(KeyWriter& keys, const arch::Config& config) {
    keys.size("attention.head_count", config.n_head);
    keys.size("attention.head_count_kv", config.n_kv);
    keys.size("attention.key_length", config.d_head);
    keys.size("attention.value_length", config.d_value);
    if (config.latent.kv_rank > 0) {
        keys.size("attention.kv_lora_rank", config.latent.kv_rank);
        if (config.latent.q_rank > 0) keys.size("attention.q_lora_rank", config.latent.q_rank);
    } else {
        // As the reader would take it without the key.
        const double usual = 1.0F / std::sqrt(static_cast<float>(config.d_head));
        keys.number_unless(usual, "attention.scale", config.attn_scale);
    }
    keys.number_unless(0, "attn_logit_softcapping", config.attn_cap);
    keys.number_unless(0, "attention.clamp_kqv", config.qkv_limit);
    if (config.block.position == arch::Position::alibi) keys.flag("attention.alibi", true);
    if (config.tune > 0) {
        keys.number("attention.temperature_scale", config.tune);
        keys.number("attention.temperature_length", config.tune_length);
    }
}

void set_experts(KeyWriter& keys, const arch::Experts& experts) {
    if (experts.n == 0) return;
    keys.size("expert_count", experts.n);
    keys.size("expert_used_count", experts.n_used);
    keys.size("expert_feed_forward_length", experts.d_ff);
    if (experts.d_shared > 0) keys.size("expert_shared_feed_forward_length", experts.d_shared);
    keys.flag("expert_weights_norm", experts.normalise);
    keys.number_unless(1, "expert_weights_scale", experts.scale);
    constexpr int kNumbers[] = {1, 3, 2};  // by arch::Score
    keys.size("expert_gating_func", kNumbers[static_cast<int>(experts.score)]);
    if (experts.n_group > 1) {
        keys.size("expert_group_count", experts.n_group);
        keys.size("expert_group_used_count", experts.n_group_used);
    }
    const auto first = std::find(experts.sparse.begin(), experts.sparse.end(), true);
    keys.size("leading_dense_block_count", first - experts.sparse.begin());
}

void set_rope(format::GgufWriter& writer, KeyWriter& keys, const arch::Config& config) {
    const std::string type = std::string(config.family->gguf) + ".rope.scaling.type";
    const arch::Rope& rope = config.rope;
    keys.number("rope.freq_base", rope.theta);
    keys.size("rope.dimension_count", rope.dim);
    if (config.local_rope.dim > 0) keys.number("rope.freq_base_swa", config.local_rope.theta);
    switch (rope.scaling) {
        case arch::Scaling::none:
        case arch::Scaling::llama3: return;  // llama3's divisors are a tensor
        case arch::Scaling::linear:
            writer.set_string(type, "linear");
            keys.number("rope.scaling.factor", rope.factor);
            return;
        case arch::Scaling::yarn:
            writer.set_string(type, "yarn");
            keys.number("rope.scaling.factor", rope.factor);
            keys.number("rope.scaling.yarn_beta_fast", rope.beta_fast);
            keys.number("rope.scaling.yarn_beta_slow", rope.beta_slow);
            keys.number_unless(0, "rope.scaling.yarn_log_multiplier", 0.1 * rope.mscale_all);
            if (rope.magnitude > 0 && rope.factor > 1)
                keys.number("rope.scaling.attn_factor",
                            rope.magnitude / (0.1 * std::log(rope.factor) + 1));
            break;
        case arch::Scaling::longrope:  // its factors are tensors
            keys.number("rope.scaling.attn_factor",
                        arch::rope_table(rope, config.n_ctx, true).magnitude);
            break;
    }
    keys.size("rope.scaling.original_context_length", rope.original_ctx);
}

Status set_rotating(KeyWriter& keys, const arch::Config& config) {
    const auto first = std::find(config.rotates.begin(), config.rotates.end(), false);
    if (first == config.rotates.end()) return {};
    const auto period = static_cast<int>(first - config.rotates.begin()) + 1;
    for (std::size_t i = 0; i < config.rotates.size(); ++i)
        if (config.rotates[i] == ((static_cast<int>(i) + 1) % period == 0))
            return Error{Code::unsupported, "GGUF has no key for these layers without rope"};
    keys.size("attention.no_rope_period", period);
    return {};
}

}  // namespace

Status set_config(format::GgufWriter& writer, const arch::Config& config) {
    KeyWriter keys(writer, std::string(config.family->gguf) + ".");
    writer.set_string("general.architecture", config.family->gguf);
    keys.size("vocab_size", config.n_vocab);
    keys.size("context_length", config.n_ctx);
    keys.size("embedding_length", config.d_model);
    keys.size("block_count", config.n_layer);
    keys.size("feed_forward_length", config.d_ff);
    keys.number(config.block.norm == arch::NormKind::rms ? "attention.layer_norm_rms_epsilon"
                                                         : "attention.layer_norm_epsilon",
                config.norm_eps);
    keys.flag("use_parallel_residual", config.block.residual == arch::Residual::parallel);
    keys.number_unless(0, "final_logit_softcapping", config.logit_cap);
    keys.number_unless(
        1, "logit_scale",
        config.family->gguf_divides_logits ? 1 / config.logit_scale : config.logit_scale);
    keys.number_unless(1, "residual_scale", config.residual_scale);
    if (!config.family->scale_embedding)
        keys.number_unless(1, "embedding_scale", config.embedding_scale);
    set_attention(keys, config);
    set_experts(keys, config.experts);
    HEFT_OK(set_windows(keys, config));
    if (!config.rotates.empty() && config.family->window != arch::Window::chunked)
        HEFT_OK(set_rotating(keys, config));
    if (config.block.position == arch::Position::rope) set_rope(writer, keys, config);
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
