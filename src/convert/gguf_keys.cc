#include "convert/gguf_keys.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "arch/tensors.h"

namespace heft::convert {

namespace {

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
    if (config.window == 0) {
        // Said where readers have a number of their own.
        if (config.family->window != arch::Window::none) keys.size("attention.sliding_window", 0);
        return {};
    }
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
    // Keys and values that come from a latent vector are made for every head.
    keys.size("attention.head_count_kv", config.latent.kv_rank > 0 ? config.n_head : config.n_kv);
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
    keys.number_unless(0, "attention.clamp_kqv", config.qkv_limit);
    if (config.block.position == arch::Position::alibi) keys.flag("attention.alibi", true);
    if (config.tune > 0) {
        keys.number("attention.temperature_scale", config.tune);
        keys.number("attention.temperature_length", config.tune_length);
    }
}

// Which layers have experts: from the first on, all or every n-th.
Status set_sparse(KeyWriter& keys, const arch::Config& config) {
    const std::vector<bool>& sparse = config.experts.sparse;
    const auto first = std::find(sparse.begin(), sparse.end(), true) - sparse.begin();
    const auto all = static_cast<std::ptrdiff_t>(sparse.size());
    const auto second =
        std::find(sparse.begin() + std::min(first + 1, all), sparse.end(), true) - sparse.begin();
    const auto step = second == all ? first + 1 : second - first;
    for (const std::ptrdiff_t every : {std::ptrdiff_t{1}, step}) {
        std::ptrdiff_t layer = 0;
        while (layer < all
               && sparse[static_cast<std::size_t>(layer)]
                      == (layer >= first && (layer + 1) % every == 0))
            ++layer;
        if (layer < all) continue;
        keys.size("leading_dense_block_count", first);
        if (every > 1 || config.family->window == arch::Window::chunked)
            keys.size("interleave_moe_layer_step", every);
        return {};
    }
    return Error{Code::unsupported, "GGUF has no key for these layers without experts"};
}

Status set_experts(KeyWriter& keys, const arch::Config& config) {
    const arch::Experts& experts = config.experts;
    if (experts.n == 0) return {};
    keys.size("expert_count", experts.n);
    keys.size("expert_used_count", experts.n_used);
    keys.size("expert_feed_forward_length", experts.d_ff);
    if (experts.d_shared > 0) keys.size("expert_shared_feed_forward_length", experts.d_shared);
    // Some readers count in experts.
    keys.size("expert_shared_count", experts.d_shared / std::max(experts.d_ff, 1));
    keys.flag("expert_weights_norm", experts.normalise);
    keys.number_unless(1, "expert_weights_scale", experts.scale);
    constexpr int kNumbers[] = {1, 3, 2};  // by arch::Score
    keys.size("expert_gating_func", kNumbers[static_cast<int>(experts.score)]);
    if (experts.n_group > 1) {
        keys.size("expert_group_count", experts.n_group);
        keys.size("expert_group_used_count", experts.n_group_used);
    }
    return set_sparse(keys, config);
}

// The scalings whose numbers are tensors.
Status check_rope_tensors(const arch::Config& config) {
    const bool llama3 = config.rope.scaling == arch::Scaling::llama3;
    if (!llama3 && config.rope.scaling != arch::Scaling::longrope) return {};
    if (has_role(*config.family, llama3 ? arch::Role::rope_divisors : arch::Role::rope_long))
        return {};
    return Error{Code::unsupported,
                 std::string("GGUF has no tensor for the rope scaling of this model in ")
                     + config.family->gguf + " files"};
}

void set_yarn(KeyWriter& keys, const arch::Rope& rope, const arch::Family& family) {
    keys.number("rope.scaling.factor", rope.factor);
    keys.number("rope.scaling.yarn_beta_fast", rope.beta_fast);
    keys.number("rope.scaling.yarn_beta_slow", rope.beta_slow);
    keys.number_unless(0, "rope.scaling.yarn_log_multiplier",
                       family.gguf_tenth_mscale ? 0.1 * rope.mscale_all : rope.mscale_all);
    if (rope.magnitude <= 0) return;
    const double own = rope.magnitude / arch::gguf_yarn_magnitude(rope, family);
    constexpr double kSame = 1e-6;
    if (std::abs(own - 1) > kSame) keys.number("rope.scaling.attn_factor", own);
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
            set_yarn(keys, rope, *config.family);
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

// Scales and caps. A family whose readers have numbers of their own gets all of them.
void set_factors(KeyWriter& keys, const arch::Config& config) {
    const arch::Family& family = *config.family;
    const auto scale = [&](const char* key, double value) {
        if (value != 1 || family.gguf_wants_scales) keys.number(key, value);
    };
    scale("logit_scale", family.gguf_divides_logits ? 1 / config.logit_scale : config.logit_scale);
    scale("residual_scale", config.residual_scale);
    if (!family.scale_embedding) scale("embedding_scale", config.embedding_scale);
    const auto cap = [&](const char* key, double value) {
        if (value != 0 || family.gguf_wants_scales) keys.number(key, value);
    };
    cap("attn_logit_softcapping", config.attn_cap);
    cap("final_logit_softcapping", config.logit_cap);
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
    set_factors(keys, config);
    set_attention(keys, config);
    HEFT_OK(set_experts(keys, config));
    HEFT_OK(set_windows(keys, config));
    if (!config.rotates.empty() && config.family->window != arch::Window::chunked)
        HEFT_OK(set_rotating(keys, config));
    if (config.block.position != arch::Position::rope) return {};
    HEFT_OK(check_rope_tensors(config));
    set_rope(writer, keys, config);
    return {};
}

}  // namespace heft::convert
