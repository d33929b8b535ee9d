// What a configuration says of single layers: which slide, which have experts, which rotate.
#include <algorithm>
#include <limits>

#include "arch/config_parts.h"

namespace heft::arch {

namespace {

constexpr std::int64_t kMostExperts = 1 << 14;

std::size_t layers(const Config& c) {
    return static_cast<std::size_t>(c.n_layer);
}

// Every n-th layer sees everything, counted from the first.
std::vector<bool> all_but_every(std::int64_t period, const Config& c) {
    std::vector<bool> sliding(layers(c));
    for (std::size_t i = 0; i < sliding.size(); ++i)
        sliding[i] = period > 0 && (static_cast<std::int64_t>(i) + 1) % period != 0;
    return sliding;
}

std::vector<bool> sliding_layers(const ConfigSource& source, const Config& c, Window rule) {
    std::vector<bool> sliding(layers(c), rule == Window::every);
    if (rule == Window::periodic)
        sliding = all_but_every(source
                                    .integer("sliding_window_pattern|_sliding_window_pattern",
                                             "attention.sliding_window_pattern")
                                    .value_or(c.family->window_period),
                                c);
    if (rule == Window::upper_layers && source.flag("use_sliding_window", "").value_or(false)) {
        const auto first = source.integer("max_window_layers", "").value_or(0);
        for (std::size_t i = 0; i < sliding.size(); ++i)
            sliding[i] = static_cast<std::int64_t>(i) >= first;
    }
    if (rule == Window::chunked)
        for (int i = 0; i < c.n_layer; ++i) sliding[static_cast<std::size_t>(i)] = c.is_rotating(i);
    const auto listed = source.layer_flags("attention.sliding_window_pattern");
    if (rule == Window::periodic && listed.size() == sliding.size()) sliding = listed;
    if (const auto types = source.strings("layer_types"); types.size() == sliding.size())
        for (std::size_t i = 0; i < sliding.size(); ++i)
            sliding[i] = types[i] == "sliding_attention" || types[i] == "chunked_attention";
    return sliding;
}

// Layers without rope: a list of ones and zeros, or every n-th.
void read_rotating(const ConfigSource& source, Config& c) {
    const auto period = source.integer("no_rope_layer_interval", "attention.no_rope_period");
    auto list = source.floats("no_rope_layers", "");
    if (list.size() < layers(c)) list.clear();
    if (list.empty() && (!period || *period < 1)) return;
    c.rotates.resize(layers(c));
    for (std::size_t i = 0; i < c.rotates.size(); ++i)
        c.rotates[i] =
            list.empty() ? (static_cast<std::int64_t>(i) + 1) % *period != 0 : list[i] != 0;
}

// Which layers have experts: all from `first` on, every `step`-th of them, and not the named ones.
void read_sparse(const ConfigSource& source, Config& c) {
    const auto first =
        source.integer("first_k_dense_replace", "leading_dense_block_count").value_or(0);
    const auto step = std::max<std::int64_t>(
        1, source
               .integer("decoder_sparse_step|moe_layer_freq|interleave_moe_layer_step",
                        "interleave_moe_layer_step")
               .value_or(1));
    c.experts.sparse.resize(layers(c));
    for (std::size_t i = 0; i < c.experts.sparse.size(); ++i) {
        const auto layer = static_cast<std::int64_t>(i);
        c.experts.sparse[i] = layer >= first && (layer + 1) % step == 0;
    }
    for (const float dense : source.floats("mlp_only_layers", ""))
        if (dense >= 0 && dense < static_cast<float>(c.n_layer))
            c.experts.sparse[static_cast<std::size_t>(dense)] = false;
}

struct ScoreName {
    const char* name;
    Score score;
};
constexpr ScoreName kScores[] = {
    {"softmax", Score::softmax},
    {"sigmoid", Score::sigmoid},
};

Status read_scoring(const ConfigSource& source, Experts& experts) {
    if (const auto name = source.string("scoring_func", "")) {
        const auto* known =
            std::find_if(std::begin(kScores), std::end(kScores),
                         [&](const ScoreName& candidate) { return *name == candidate.name; });
        if (known == std::end(kScores))
            return Error{Code::unsupported,
                         "expert scores by \"" + name->substr(0, 40) + "\" are not supported"};
        experts.score = known->score;
    }
    // GGUF's numbers: 1 softmax, 2 sigmoid, 3 softmax of the chosen.
    switch (source.integer("", "expert_gating_func").value_or(0)) {
        case 1: experts.score = Score::softmax; break;
        case 2: experts.score = Score::sigmoid; break;
        case 3: experts.score = Score::softmax_chosen; break;
        default: break;
    }
    experts.normalise =
        source.flag("norm_topk_prob", "expert_weights_norm").value_or(experts.normalise);
    experts.scale = static_cast<float>(
        source.number("routed_scaling_factor", "expert_weights_scale").value_or(1));
    const auto groups = source.integer("n_group", "expert_group_count").value_or(1);
    const auto used = source.integer("topk_group", "expert_group_used_count").value_or(groups);
    if (groups < 1 || experts.n % groups != 0 || used < 1 || used > groups
        || experts.n / groups * used < experts.n_used)
        return Error{Code::corrupt, "configuration has " + std::to_string(used) + " of "
                                        + std::to_string(groups) + " groups of experts in use"};
    experts.n_group = static_cast<int>(groups);
    experts.n_group_used = static_cast<int>(used);
    return {};
}

}  // namespace

Status read_latent(const ConfigSource& source, Config& c) {
    const auto rank = source.integer("kv_lora_rank", "attention.kv_lora_rank");
    if (!rank) return {};
    HEFT_TRY(const auto kv_rank,
             size_of(source, "kv_lora_rank", "attention.kv_lora_rank", kMostWidth));
    c.latent.kv_rank = static_cast<int>(kv_rank);
    if (source.integer("q_lora_rank", "attention.q_lora_rank").value_or(0) > 0) {
        HEFT_TRY(const auto q_rank,
                 size_of(source, "q_lora_rank", "attention.q_lora_rank", kMostWidth));
        c.latent.q_rank = static_cast<int>(q_rank);
    }
    HEFT_TRY(const auto d_rope,
             size_of(source, "qk_rope_head_dim", "rope.dimension_count", 1 << 14));
    c.latent.d_rope = static_cast<int>(d_rope);
    if (source.is_gguf()) {
        // Newer files give the sizes of the absorbed form first, and those of a head beside them.
        HEFT_TRY(const auto key,
                 size_of(source, "", "attention.key_length_mla", 1 << 14, c.d_head));
        HEFT_TRY(const auto value,
                 size_of(source, "", "attention.value_length_mla", 1 << 14, c.d_value));
        c.d_head = static_cast<int>(key);
        c.d_value = static_cast<int>(value);
    } else {
        HEFT_TRY(const auto nope, size_of(source, "qk_nope_head_dim", "", 1 << 14));
        HEFT_TRY(const auto value, size_of(source, "v_head_dim", "", 1 << 14));
        c.d_head = static_cast<int>(nope + d_rope);
        c.d_value = static_cast<int>(value);
    }
    if (c.d_head <= c.latent.d_rope
        || std::int64_t{c.n_head} * (std::max(c.d_head, c.d_value) + kv_rank) > kMostWidth)
        return Error{Code::corrupt, "configuration has heads of " + std::to_string(c.d_head)
                                        + ", of which " + std::to_string(d_rope) + " rotate"};
    c.n_kv = 1;
    return {};
}

Status read_windows(const ConfigSource& source, Config& c) {
    read_rotating(source, c);
    auto window = source.integer("sliding_window|attention_chunk_size", "attention.sliding_window");
    if (!window && source.is_gguf()) window = c.family->gguf_window;
    Window rule = c.family->window;
    // A GGUF file names a window only when its layers slide.
    if (source.in_gguf("attention.sliding_window") && rule == Window::none) rule = Window::every;
    if (!window || *window < 1 || rule == Window::none) return {};
    std::vector<bool> sliding = sliding_layers(source, c, rule);
    if (std::find(sliding.begin(), sliding.end(), true) == sliding.end()) return {};
    c.window = static_cast<int>(std::min<std::int64_t>(*window, std::numeric_limits<int>::max()));
    c.sliding = std::move(sliding);
    c.chunked = rule == Window::chunked;
    return {};
}

Status read_experts(const ConfigSource& source, Config& c) {
    c.n_predict_layer = static_cast<int>(std::clamp<std::int64_t>(
        source.integer("num_nextn_predict_layers", "").value_or(0), 0, 16));
    const auto count =
        source.integer("num_local_experts|n_routed_experts|num_experts", "expert_count");
    if (!count || *count == 0) return {};
    Experts& experts = c.experts;
    HEFT_TRY(const auto n, size_of(source, "num_local_experts|n_routed_experts|num_experts",
                                   "expert_count", kMostExperts));
    HEFT_TRY(const auto used,
             size_of(source, "num_experts_per_tok|experts_per_token|moe_topk|num_experts_per_token",
                     "expert_used_count", n));
    const bool own_width = source.integer("intermediate_size_mlp", "").has_value();
    HEFT_TRY(const auto d_ff, size_of(source,
                                      own_width ? "moe_intermediate_size|intermediate_size"
                                                : "moe_intermediate_size",
                                      "expert_feed_forward_length", kMostWidth, c.d_ff));
    experts.n = static_cast<int>(n);
    experts.n_used = static_cast<int>(used);
    experts.d_ff = static_cast<int>(d_ff);
    constexpr std::string_view kShared = "shared_expert_intermediate_size|shared_intermediate_size";
    const auto shared_count = source.integer("n_shared_experts", "expert_shared_count").value_or(0);
    if (source.integer(kShared, "expert_shared_feed_forward_length").value_or(0) > 0
        || shared_count > 0) {
        HEFT_TRY(const auto d_shared,
                 size_of(source, kShared, "expert_shared_feed_forward_length", kMostWidth,
                         std::min(shared_count, kMostWidth) * d_ff));
        experts.d_shared = static_cast<int>(d_shared);
    }
    read_sparse(source, c);
    return read_scoring(source, experts);
}

}  // namespace heft::arch
