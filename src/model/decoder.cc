#include "model/decoder.h"

#include <algorithm>
#include <cmath>

#include "model/batch.h"
#include "model/each_token.h"

namespace heft::model {

namespace {

// Floats per token of each of the arrays of a pass (model/batch.h).
struct Widths {
    std::int64_t stream, queries, keys, values, heads, inner, further, angles, local_angles, latent;
    std::int64_t total() const {
        return 3 * stream + queries + keys + values + heads + 2 * inner + further + angles
               + local_angles + latent;
    }
};

Widths widths_of(const arch::Config& c) {
    const bool latent = c.latent.kv_rank > 0;
    const std::int64_t latent_row = c.latent.kv_rank + c.latent.d_rope;
    Widths w{};
    w.stream = c.d_model;
    w.queries = c.n_head * (latent ? latent_row : c.d_head);
    w.keys = latent ? latent_row : std::int64_t{c.n_kv} * c.d_head;
    w.values = latent ? std::int64_t{c.n_head} * std::max(c.d_head, c.d_value)
                      : std::int64_t{c.n_kv} * c.d_value;
    w.heads = c.n_head * std::int64_t{latent ? c.latent.kv_rank : c.d_value};
    w.inner = std::max(c.d_ff, c.experts.d_shared);
    w.further = c.block.residual == arch::Residual::parallel ? c.d_model : 0;
    w.angles = c.rope.dim;
    w.local_angles = c.local_rope.dim;
    w.latent = c.latent.q_rank;
    return w;
}

Rotation make_rotation(const arch::Rope& rope, std::int64_t n_ctx, bool long_context) {
    arch::RopeTable table = arch::rope_table(rope, n_ctx, long_context);
    Rotation rotation;
    rotation.frequency = std::move(table.frequency);
    rotation.magnitude = table.magnitude;
    switch (rope.pairs) {
        case arch::Pairs::half: rotation.pairs = op::RopePairs::half; break;
        case arch::Pairs::neighbour: rotation.pairs = op::RopePairs::neighbour; break;
    }
    return rotation;
}

// out += scale * B (A x), for the one product of a group.
void add_change(op::Context& context, const LowRank& change, const op::Group& group) {
    const auto matrix = [](const std::vector<float>& of, std::int64_t rows, std::int64_t cols) {
        op::Weight weight;
        weight.rows = rows;
        weight.cols = cols;
        weight.row_stride = cols * static_cast<std::int64_t>(sizeof(float));
        weight.data = reinterpret_cast<const std::byte*>(of.data());
        return weight;
    };
    const op::Weight a = matrix(change.a, change.rank, change.in);
    const op::Weight b = matrix(change.b, change.out, change.rank);
    const op::Product& to = group.products.front();
    const auto tokens = static_cast<std::size_t>(group.n_tokens);
    std::vector<float> narrow(tokens * static_cast<std::size_t>(change.rank));
    std::vector<float> wide(tokens * static_cast<std::size_t>(change.out));
    const op::Product down[] = {{&a, narrow.data(), change.rank}};
    op::matmul(context, down, group.x, group.x_stride, group.n_tokens);
    const op::Product up[] = {{&b, wide.data(), change.out}};
    op::matmul(context, up, narrow.data(), change.rank, group.n_tokens);
    op::for_each(context, group.n_tokens, [&](int t, int) {
        float* sum = to.out + t * to.out_stride;
        const float* from = wide.data() + t * change.out;
        for (std::int64_t i = 0; i < change.out; ++i) sum[i] += change.scale * from[i];
    });
}

}  // namespace

Batch::Batch(const Decoder& decoder, op::Context& context, std::span<const Input> inputs)
    : model_(decoder),
      context_(context),
      inputs_(inputs),
      n_(static_cast<int>(inputs.size())),
      seen_(inputs.size()) {
    const Widths width = widths_of(config());
    q_width_ = width.queries;
    value_width_ = width.heads;
    struct Part {
        float** at;
        std::int64_t width;
    };
    const Part parts[] = {
        {&stream_, width.stream},   {&normed_, width.stream}, {&queries_, width.queries},
        {&keys_, width.keys},       {&values_, width.values}, {&heads_, width.heads},
        {&gate_, width.inner},      {&up_, width.inner},      {&delta_, width.stream},
        {&further_, width.further}, {&angles_, width.angles}, {&local_angles_, width.local_angles},
        {&latent_, width.latent},
    };
    const std::int64_t total = n_ * width.total();
    auto* at = context_.activations.at_least<float>(static_cast<std::size_t>(total));
    for (const Part& part : parts) {
        *part.at = at;
        at += n_ * part.width;
    }
    for (int t = 0; t < n_; ++t) any_has_adapter_ = any_has_adapter_ || adapter_of(t) != 0;
}

void Batch::normalise(const Norm& norm, const float* from, std::int64_t width, float* to) const {
    const float* weight = norm.weight.empty() ? nullptr : norm.weight.data();
    const float* bias = norm.bias.empty() ? nullptr : norm.bias.data();
    const float eps = config().norm_eps;
    switch (config().block.norm) {
        case arch::NormKind::rms: context_.kernels.rms_norm(from, weight, width, eps, to); break;
        case arch::NormKind::layer:
            context_.kernels.layer_norm(from, weight, bias, width, eps, to);
            break;
    }
}

void Batch::norm_all(const Norm& norm, const float* from, float* to) {
    const std::int64_t d = config().d_model;
    each_token([&](int t) { normalise(norm, from + t * d, d, to + t * d); });
}

void Batch::multiply(std::span<const op::Product> products, const float* x, std::int64_t x_width) {
    const op::Group group{products, x, x_width, n_};
    multiply({&group, 1}, {});
}

void Batch::multiply(std::span<const op::Group> groups, std::span<const int> tokens) {
    op::matmul(context_, groups);
    for (const op::Group& group : groups) {
        add_changes(model_.changes.front(), group, 0, group.n_tokens);
        if (!any_has_adapter_) continue;
        const auto n = std::min(tokens.size(), static_cast<std::size_t>(group.n_tokens));
        add_chosen(group, tokens.first(n));
        tokens = tokens.subspan(n);
    }
}

// Rows that follow each other and have the same adapter are multiplied together.
void Batch::add_chosen(const op::Group& group, std::span<const int> tokens) {
    const auto adapter_at = [&](int row) {
        return adapter_of(tokens.empty() ? row : tokens[static_cast<std::size_t>(row)]);
    };
    for (int first = 0, end = 0; first < group.n_tokens; first = end) {
        const int adapter = adapter_at(first);
        for (end = first + 1; end < group.n_tokens && adapter_at(end) == adapter;) ++end;
        if (adapter == 0) continue;
        add_changes(model_.changes[static_cast<std::size_t>(adapter)], group, first, end - first);
    }
}

// To `count` rows of a group, from the first-th on.
void Batch::add_changes(const Changes& changes, const op::Group& group, int first, int count) {
    if (changes.of_weight.empty()) return;
    const float* x = group.x + first * group.x_stride;
    for (const op::Product& product : group.products) {
        const auto found = changes.of_weight.find(product.weight);
        if (found == changes.of_weight.end()) continue;
        const op::Product to = {product.weight, product.out + first * product.out_stride,
                                product.out_stride};
        for (const LowRank* change : found->second)
            add_change(context_, *change, {{&to, 1}, x, group.x_stride, count});
    }
}

// A row of the embedding changes by its row of B times A.
void Batch::change_embedding(const Changes& changes, std::int32_t token, float* to) const {
    for (const LowRank* change : changes.of_embedding)
        for (std::int64_t r = 0; r < change->rank; ++r) {
            const float factor =
                change->scale * change->b[static_cast<std::size_t>(token * change->rank + r)];
            const float* row = change->a.data() + r * change->in;
            for (std::int64_t i = 0; i < change->in; ++i) to[i] += factor * row[i];
        }
}

void Batch::add_bias(const Linear& linear, float* to, std::int64_t width) {
    if (linear.bias.empty()) return;
    each_token([&](int t) { context_.kernels.add(linear.bias.data(), width, row(to, t, width)); });
}

void Batch::embed() {
    const arch::Config& c = config();
    const op::Weight& table = model_.weights.embedding.weight;
    const op::Weight& positions = model_.weights.positions;
    const Rotations& rotations = model_.rotations;
    each_token([&](int t) {
        const Input& input = inputs_[static_cast<std::size_t>(t)];
        float* to = row(stream_, t, c.d_model);
        context_.kernels.unpack(table.type, table.data + input.token * table.row_stride, table.cols,
                                to);
        change_embedding(model_.changes.front(), input.token, to);
        if (const int adapter = adapter_of(t); adapter != 0)
            change_embedding(model_.changes[static_cast<std::size_t>(adapter)], input.token, to);
        if (c.embedding_scale != 1.0F)
            for (int i = 0; i < c.d_model; ++i) to[i] *= c.embedding_scale;
        if (positions.data != nullptr) {
            float* learned = row(normed_, t, c.d_model);
            context_.kernels.unpack(positions.type,
                                    positions.data + input.position * positions.row_stride,
                                    positions.cols, learned);
            context_.kernels.add(learned, c.d_model, to);
        }
        if (!model_.weights.embedding_norm.weight.empty())
            normalise(model_.weights.embedding_norm, to, c.d_model, to);
        const Rotation& rotation =
            input.cache->basis.long_context ? rotations.long_rope : rotations.short_rope;
        op::rope_angles(rotation.frequency, rotation.magnitude, input.position,
                        row(angles_, t, c.rope.dim));
        op::rope_angles(rotations.local_rope.frequency, rotations.local_rope.magnitude,
                        input.position, row(local_angles_, t, c.local_rope.dim));
    });
}

// delta, normed if the family norms what blocks add, goes into the residual stream.
void Batch::add_to_stream(const Norm& post_norm) {
    const arch::Config& c = config();
    each_token([&](int t) {
        float* delta = row(delta_, t, c.d_model);
        if (c.block.norms != arch::Norms::before) normalise(post_norm, delta, c.d_model, delta);
        if (c.residual_scale != 1.0F)
            for (int i = 0; i < c.d_model; ++i) delta[i] *= c.residual_scale;
        context_.kernels.add(delta, c.d_model, row(stream_, t, c.d_model));
    });
}

void Batch::block(const Layer& layer, int index) {
    const arch::Config& c = config();
    const bool norm_before = c.block.norms != arch::Norms::after;
    const auto read_stream = [&](const Norm& norm) {
        if (norm_before)
            norm_all(norm, stream_, normed_);
        else
            std::copy_n(stream_, n_ * std::int64_t{c.d_model}, normed_);
    };
    read_stream(layer.attn_norm);
    attend(layer, index);
    if (c.block.residual == arch::Residual::sequential) {
        add_to_stream(layer.attn_post_norm);
        read_stream(layer.ffn_norm);
        feed_forward(layer);
        add_to_stream(layer.ffn_post_norm);
        return;
    }
    // Both read the stream as it was; with one norm for both, what it gave.
    std::swap(delta_, further_);
    if (!layer.ffn_norm.weight.empty()) read_stream(layer.ffn_norm);
    feed_forward(layer);
    context_.kernels.add(further_, n_ * std::int64_t{c.d_model}, delta_);
    add_to_stream(layer.ffn_post_norm);
}

// The rows that are wanted, through the last norm; answers which tokens' they are.
std::vector<int> Batch::last_norm() {
    const arch::Config& c = config();
    std::vector<int> wanted;
    for (int t = 0; t < n_; ++t) {
        if (!inputs_[static_cast<std::size_t>(t)].want_logits) continue;
        normalise(model_.weights.output_norm, row(stream_, t, c.d_model), c.d_model,
                  row(normed_, static_cast<int>(wanted.size()), c.d_model));
        wanted.push_back(t);
    }
    return wanted;
}

void Batch::hidden(PagedVector<float>& rows) {
    const auto wanted = static_cast<int>(last_norm().size());
    rows.insert(rows.end(), normed_, normed_ + wanted * std::int64_t{config().d_model});
}

void Batch::project(PagedVector<float>& logits) {
    const arch::Config& c = config();
    const Linear& output = model_.weights.output;
    const std::vector<int> tokens = last_norm();
    const auto wanted = static_cast<int>(tokens.size());
    if (wanted == 0) return;
    const std::size_t before = logits.size();
    const auto count = static_cast<std::size_t>(wanted) * static_cast<std::size_t>(c.n_vocab);
    logits.resize(before + count);
    float* out = logits.data() + before;
    const op::Product products[] = {{&output.weight, out, c.n_vocab}};
    const op::Group group{products, normed_, c.d_model, wanted};
    multiply({&group, 1}, tokens);
    if (c.logit_scale != 1.0F)
        for (std::size_t i = 0; i < count; ++i) out[i] *= c.logit_scale;
    for (int t = 0; t < wanted; ++t) {
        if (!output.bias.empty())
            context_.kernels.add(output.bias.data(), c.n_vocab, row(out, t, c.n_vocab));
        if (c.logit_cap > 0)
            context_.kernels.soft_cap(row(out, t, c.n_vocab), c.n_vocab, c.logit_cap);
    }
}

std::int64_t activation_width(const arch::Config& config) {
    return widths_of(config).total();
}

Rotations make_rotations(const arch::Config& config) {
    Rotations rotations;
    rotations.short_rope = make_rotation(config.rope, config.n_ctx, false);
    rotations.long_rope = make_rotation(config.rope, config.n_ctx, true);
    if (config.local_rope.dim > 0)
        rotations.local_rope = make_rotation(config.local_rope, config.n_ctx, false);
    return rotations;
}

std::vector<float> alibi_slopes(int n_head, float scale) {
    int power = 1;
    while (power * 2 <= n_head) power *= 2;
    std::vector<float> slopes;
    for (int i = 0; i < n_head; ++i) {
        const double exponent =
            i < power ? -8.0 * (i + 1) / power : -4.0 * (2 * (i - power) + 1) / power;
        slopes.push_back(static_cast<float>(std::exp2(exponent)) * scale);
    }
    return slopes;
}

void decode(const Decoder& decoder, op::Context& context, std::span<const Input> inputs,
            Output output, PagedVector<float>& rows) {
    if (inputs.empty()) return;
    Batch batch(decoder, context, inputs);
    batch.embed();
    for (std::size_t l = 0; l < decoder.weights.layers.size(); ++l)
        batch.block(decoder.weights.layers[l], static_cast<int>(l));
    switch (output) {
        case Output::logits: batch.project(rows); break;
        case Output::hidden: batch.hidden(rows); break;
    }
    for (const Input& input : inputs)
        input.cache->set_length(std::max<std::int64_t>(input.cache->length(), input.position + 1));
}

}  // namespace heft::model
