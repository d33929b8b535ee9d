#include <algorithm>
#include <cmath>

#include "arch/config_document.h"

namespace heft::arch {

namespace {

constexpr double kRounding = 2e-6;

bool is_close(double a, double b) {
    return std::abs(a - b) <= kRounding * std::max(std::abs(a), std::abs(b));
}

bool are_close(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_close);
}

// What rotating comes to, however it is written down. Pairs are not compared: tensors of the two
// are in different orders.
bool is_same_rope(const Rope& a, const Rope& b, std::int64_t n_ctx) {
    if (a.dim != b.dim || !is_close(a.mscale_all, b.mscale_all)) return false;
    for (const bool is_long : {false, true}) {
        const RopeTable left = rope_table(a, n_ctx, is_long);
        const RopeTable right = rope_table(b, n_ctx, is_long);
        if (!are_close(left.frequency, right.frequency)
            || !is_close(left.magnitude, right.magnitude))
            return false;
    }
    return a.scaling != Scaling::longrope || a.original_ctx == b.original_ctx;
}

bool rotates_anywhere(const Config& c) {
    for (int i = 0; i < c.n_layer; ++i)
        if (c.is_rotating(i)) return true;
    return false;
}

std::string_view difference_of_layers(const Config& a, const Config& b) {
    for (int i = 0; i < a.n_layer; ++i) {
        if (a.is_sliding(i) != b.is_sliding(i)) return "which layers slide";
        if (a.is_rotating(i) != b.is_rotating(i)) return "which layers rotate";
        if (a.is_sparse(i) != b.is_sparse(i)) return "which layers have experts";
    }
    return {};
}

std::string_view difference_of_experts(const Experts& a, const Experts& b) {
    if (a.n != b.n || a.n_used != b.n_used) return "the number of experts";
    if (a.n == 0) return {};
    if (a.d_ff != b.d_ff || a.d_shared != b.d_shared) return "the width of experts";
    if (a.score != b.score || a.normalise != b.normalise || a.weigh_input != b.weigh_input
        || !is_close(a.scale, b.scale))
        return "how experts are weighed";
    if (a.n_group != b.n_group || a.n_group_used != b.n_group_used
        || (a.n_group > 1 && a.group_rank != b.group_rank))
        return "the groups of experts";
    return {};
}

std::string_view difference_of_blocks(const Block& a, const Block& b) {
    if (a.norm != b.norm || a.norms != b.norms || a.qk_norm != b.qk_norm) return "the norms";
    if (a.act != b.act || a.gated != b.gated) return "the activation";
    if (a.residual != b.residual) return "the residual connections";
    if (a.position != b.position) return "the kind of positions";
    return {};
}

}  // namespace

std::string_view difference(const Config& a, const Config& b) {
    const auto differs = [&](auto member) { return a.*member != b.*member; };
    const auto is_far = [&](auto member) { return !is_close(a.*member, b.*member); };
    for (const auto member : {&Config::d_model, &Config::n_layer, &Config::n_head, &Config::n_kv,
                              &Config::d_head, &Config::d_value, &Config::d_ff, &Config::n_vocab})
        if (differs(member)) return "the sizes";
    for (const auto member : {&Config::attn_scale, &Config::attn_cap, &Config::logit_cap,
                              &Config::logit_scale, &Config::residual_scale, &Config::qkv_limit,
                              &Config::act_limit, &Config::embedding_scale, &Config::norm_eps})
        if (is_far(member)) return "the scales and limits";
    if (a.latent.kv_rank != b.latent.kv_rank || a.latent.q_rank != b.latent.q_rank
        || a.latent.d_rope != b.latent.d_rope)
        return "latent attention";
    if (a.tied != b.tied || a.n_ctx != b.n_ctx) return "the sizes";
    if (a.window != b.window || a.chunked != b.chunked) return "the window";
    if (a.attn_sinks != b.attn_sinks || is_far(&Config::tune)
        || (a.tune > 0 && (is_far(&Config::tune_length) || a.tune_all != b.tune_all)))
        return "attention";
    if (a.block.position == Position::alibi && is_far(&Config::alibi_scale)) return "the slopes";
    for (const std::string_view found :
         {difference_of_blocks(a.block, b.block), difference_of_layers(a, b),
          difference_of_experts(a.experts, b.experts)})
        if (!found.empty()) return found;
    if (!rotates_anywhere(a)) return {};
    if (!is_same_rope(a.rope, b.rope, a.n_ctx)) return "the rotation of positions";
    if ((a.local_rope.dim > 0) != (b.local_rope.dim > 0)
        || (a.local_rope.dim > 0 && !is_same_rope(a.local_rope, b.local_rope, a.n_ctx)))
        return "the rotation of positions in sliding layers";
    return {};
}

}  // namespace heft::arch
