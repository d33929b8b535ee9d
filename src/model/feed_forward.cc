// Feed-forward blocks: one matrix for all tokens, or experts.
#include <algorithm>

#include "model/batch.h"
#include "model/each_token.h"
#include "model/router.h"

namespace heft::model {

// gate = act(gate) * up, or act(up) without a gate, for one row.
void Batch::activate(const Ffn& ffn, float* gate, float* up, std::int64_t width) const {
    const kernel::Table& kernels = context_.kernels;
    if (!ffn.up.bias.empty()) kernels.add(ffn.up.bias.data(), width, up);
    if (!ffn.gate.bias.empty()) kernels.add(ffn.gate.bias.data(), width, gate);
    const bool gated = config().block.gated;
    const float* of = gated ? gate : up;
    const float* by = gated ? up : nullptr;
    switch (config().block.act) {
        case arch::Act::silu: kernels.silu_mul(of, by, width, gate); break;
        case arch::Act::gelu_tanh: kernels.gelu_tanh_mul(of, by, width, gate); break;
        case arch::Act::gelu_erf: kernels.gelu_erf_mul(of, by, width, gate); break;
        case arch::Act::swiglu_clamped:
            kernels.swiglu_clamped(gate, up, width, config().act_limit, gate);
            break;
    }
}

void Batch::dense(const Ffn& ffn, std::int64_t width, float* out) {
    const std::int64_t d = config().d_model;
    const op::Product products[] = {{&ffn.up.weight, up_, width}, {&ffn.gate.weight, gate_, width}};
    multiply(std::span(products).first(config().block.gated ? 2 : 1), normed_, d);
    each_token([&](int t) { activate(ffn, row(gate_, t, width), row(up_, t, width), width); });
    const op::Product down[] = {{&ffn.down.weight, out, d}};
    multiply(down, gate_, width);
    add_bias(ffn.down, out, d);
}

void Batch::feed_forward(const Layer& layer) {
    const arch::Config& c = config();
    if (layer.experts.empty()) return dense(layer.ffn, c.d_ff, delta_);
    if (c.experts.d_shared > 0)
        add_shared(layer, delta_);
    else
        std::fill_n(delta_, n_ * std::int64_t{c.d_model}, 0.0F);
    add_experts(layer, delta_);
}

// What every token gets, by a gate of its own where there is one.
void Batch::add_shared(const Layer& layer, float* out) {
    const arch::Config& c = config();
    dense(layer.shared, c.experts.d_shared, out);
    if (!layer.shared_router.exists()) return;
    std::vector<float> gates(static_cast<std::size_t>(n_));
    const op::Product product[] = {{&layer.shared_router.weight, gates.data(), 1}};
    multiply(product, normed_, c.d_model);
    each_token([&](int t) {
        const float gate = logistic(gates[static_cast<std::size_t>(t)]);
        float* to = row(out, t, c.d_model);
        for (int i = 0; i < c.d_model; ++i) to[i] *= gate;
    });
}

// The tokens of each expert are gathered, so that its weights are read once for all of them; those
// of experts that no token chose are not read.
void Batch::add_experts(const Layer& layer, float* out) {
    const arch::Config& c = config();
    const std::int64_t d = c.d_model;
    const std::int64_t width = c.experts.d_ff;
    std::vector<float> scores(static_cast<std::size_t>(n_ * std::int64_t{c.experts.n}));
    const op::Product product[] = {{&layer.router.weight, scores.data(), c.experts.n}};
    multiply(product, normed_, d);
    add_bias(layer.router, scores.data(), c.experts.n);
    const Routing routing = route(c.experts, layer.router_choice_bias, scores, n_);

    const auto pairs = static_cast<int>(routing.tokens.size());
    const std::int64_t total = pairs * (2 * d + 2 * width);
    auto* x = context_.experts.at_least<float>(static_cast<std::size_t>(total));
    float* y = x + pairs * d;
    float* gate = y + pairs * d;
    float* up = gate + pairs * width;
    op::for_each(context_, pairs, [&](int p, int) {
        const auto at = static_cast<std::size_t>(p);
        std::copy_n(row(normed_, routing.tokens[at], d), d, row(x, p, d));
        if (c.experts.weigh_input)
            for (std::int64_t i = 0; i < d; ++i) row(x, p, d)[i] *= routing.weights[at];
    });

    std::vector<op::Product> products(2 * routing.runs.size());
    std::vector<op::Group> groups(routing.runs.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const ExpertRun& run = routing.runs[i];
        const Ffn& ffn = layer.experts[static_cast<std::size_t>(run.expert)];
        products[2 * i] = {&ffn.gate.weight, row(gate, run.first, width), width};
        products[2 * i + 1] = {&ffn.up.weight, row(up, run.first, width), width};
        groups[i] = {std::span(products).subspan(2 * i, 2), row(x, run.first, d), d, run.count};
    }
    multiply(groups, routing.tokens);
    op::for_each(context_, pairs, [&](int p, int) {
        const int expert = routing.experts[static_cast<std::size_t>(p)];
        activate(layer.experts[static_cast<std::size_t>(expert)], row(gate, p, width),
                 row(up, p, width), width);
    });
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const ExpertRun& run = routing.runs[i];
        const Ffn& ffn = layer.experts[static_cast<std::size_t>(run.expert)];
        products[i] = {&ffn.down.weight, row(y, run.first, d), d};
        groups[i] = {std::span(products).subspan(i, 1), row(gate, run.first, width), width,
                     run.count};
    }
    multiply(groups, routing.tokens);

    each_token([&](int t) {
        for (const int p : routing.pairs_of(t)) {
            const auto at = static_cast<std::size_t>(p);
            const Ffn& ffn = layer.experts[static_cast<std::size_t>(routing.experts[at])];
            float* from = row(y, p, d);
            if (!ffn.down.bias.empty()) context_.kernels.add(ffn.down.bias.data(), d, from);
            const float weight = c.experts.weigh_input ? 1.0F : routing.weights[at];
            for (std::int64_t i = 0; i < d; ++i) row(out, t, d)[i] += weight * from[i];
        }
    });
}

}  // namespace heft::model
