#include "model/decoder.h"

#include <algorithm>
#include <cstring>

#include "op/attention.h"
#include "op/matmul.h"
#include "op/parallel.h"

namespace heft::model {

namespace {

std::int64_t widest(const arch::Config& c) {
    return std::max<std::int64_t>({c.d_model, std::int64_t{c.n_head} * c.d_head});
}

void add_bias(const std::vector<float>& bias, const kernel::Table& kernels, float* row) {
    if (!bias.empty()) kernels.add(bias.data(), static_cast<std::int64_t>(bias.size()), row);
}

// The activations of one batch; all live in the context's memory.
struct Batch {
    const Decoder& model;
    op::Context& context;
    std::span<const Input> inputs;
    int n;               // tokens
    std::int64_t q, kv;  // widths of a row of queries and of keys
    float* x;            // [n, d_model] the residual stream
    float* normed;       // [n, max(d_model, q)] input of a block's products; attention's output
    float* queries;      // [n, q]
    float* keys;         // [n, kv]
    float* values;       // [n, kv]
    float* gate;         // [n, d_ff]
    float* up;           // [n, d_ff]
    float* delta;        // [n, d_model] what a block adds
    float* angles;       // [n, 2 * pairs]
    std::vector<op::Seen> seen;

    Batch(const Decoder& decoder, op::Context& ctx, std::span<const Input> batch);

    const arch::Config& config() const { return model.config; }
    void embed();
    void norm(const std::vector<float>& weight);
    void attend(const Layer& layer, int index);
    void place(const Layer& layer, int index, int token);
    void feed_forward(const Layer& layer);
    void add_delta(const std::vector<float>& bias);
    void project(std::vector<float>& logits);
};

Batch::Batch(const Decoder& decoder, op::Context& ctx, std::span<const Input> batch)
    : model(decoder), context(ctx), inputs(batch), n(static_cast<int>(batch.size())) {
    const arch::Config& c = config();
    q = std::int64_t{c.n_head} * c.d_head;
    kv = std::int64_t{c.n_kv} * c.d_head;
    struct Part {
        float** at;
        std::int64_t width;
    };
    const Part parts[] = {
        {&x, c.d_model}, {&normed, widest(c)}, {&queries, q},
        {&keys, kv},     {&values, kv},        {&gate, c.d_ff},
        {&up, c.d_ff},   {&delta, c.d_model},  {&angles, c.rope.dim},
    };
    std::int64_t total = 0;
    for (const Part& part : parts) total += n * part.width;
    if (static_cast<std::int64_t>(context.activations.size()) < total)
        context.activations.resize(static_cast<std::size_t>(total));
    float* at = context.activations.data();
    for (const Part& part : parts) {
        *part.at = at;
        at += n * part.width;
    }
    seen.resize(batch.size());
}

void Batch::embed() {
    const arch::Config& c = config();
    const op::Weight& table = model.weights.embedding;
    op::for_each(context, n, [&](int t, int) {
        const Input& input = inputs[static_cast<std::size_t>(t)];
        float* row = x + std::int64_t{t} * c.d_model;
        context.kernels.unpack(table.type, table.data + input.token * table.row_stride, table.cols,
                               row);
        if (c.embedding_scale != 1.0F)
            for (int i = 0; i < c.d_model; ++i) row[i] *= c.embedding_scale;
        const Rotation& rotation = input.cache->long_context ? model.long_rope : model.short_rope;
        op::rope_angles(rotation.frequency, rotation.magnitude, input.position,
                        angles + std::int64_t{t} * c.rope.dim);
    });
}

void Batch::norm(const std::vector<float>& weight) {
    const int d = config().d_model;
    op::for_each(context, n, [&](int t, int) {
        context.kernels.rms_norm(x + std::int64_t{t} * d, weight.data(), d, config().norm_eps,
                                 normed + std::int64_t{t} * d);
    });
}

// Finishes one token's queries, keys and values and puts the latter two into its cache.
void Batch::place(const Layer& layer, int index, int token) {
    const arch::Config& c = config();
    const kernel::Table& kernels = context.kernels;
    const Input& input = inputs[static_cast<std::size_t>(token)];
    float* query = queries + token * q;
    float* key = keys + token * kv;
    float* value = values + token * kv;
    add_bias(layer.attn_q_bias, kernels, query);
    add_bias(layer.attn_k_bias, kernels, key);
    add_bias(layer.attn_v_bias, kernels, value);
    if (c.family->qk_norm == arch::QkNorm::head) {
        for (int h = 0; h < c.n_head; ++h)
            kernels.rms_norm(query + h * c.d_head, layer.attn_q_norm.data(), c.d_head, c.norm_eps,
                             query + h * c.d_head);
        for (int h = 0; h < c.n_kv; ++h)
            kernels.rms_norm(key + h * c.d_head, layer.attn_k_norm.data(), c.d_head, c.norm_eps,
                             key + h * c.d_head);
    }
    const float* turn = angles + std::int64_t{token} * c.rope.dim;
    const op::RopePairs pairs = model.short_rope.pairs;
    op::rope(pairs, turn, c.rope.pairs_count(), c.n_head, c.d_head, query);
    op::rope(pairs, turn, c.rope.pairs_count(), c.n_kv, c.d_head, key);

    const kv::Cache& cache = *input.cache;
    const std::int64_t at = input.position * cache.row_bytes();
    op::Seen& range = seen[static_cast<std::size_t>(token)];
    range = {cache.keys(index), cache.values(index), 0, input.position};
    if (c.window > 0 && c.sliding[static_cast<std::size_t>(index)])
        range.first = std::max<std::int64_t>(0, std::int64_t{input.position} - c.window + 1);
    if (cache.shape().type == DType::f32) {
        std::memcpy(cache.keys(index) + at, key, static_cast<std::size_t>(kv) * sizeof(float));
        std::memcpy(cache.values(index) + at, value, static_cast<std::size_t>(kv) * sizeof(float));
    } else {
        kernels.to_bf16(key, kv, reinterpret_cast<std::uint16_t*>(cache.keys(index) + at));
        kernels.to_bf16(value, kv, reinterpret_cast<std::uint16_t*>(cache.values(index) + at));
    }
}

void Batch::attend(const Layer& layer, int index) {
    const arch::Config& c = config();
    norm(layer.attn_norm);
    const op::Product products[] = {
        {&layer.attn_q, queries, q}, {&layer.attn_k, keys, kv}, {&layer.attn_v, values, kv}};
    op::matmul(context, products, normed, c.d_model, n);
    op::for_each(context, n, [&](int t, int) { place(layer, index, t); });

    const kv::Cache& cache = *inputs.front().cache;
    op::AttentionShape shape;
    shape.n_head = c.n_head;
    shape.n_kv = c.n_kv;
    shape.d_head = c.d_head;
    shape.scale = c.attn_scale;
    shape.kv_type = cache.shape().type;
    shape.kv_row_bytes = cache.row_bytes();
    op::attention(context, shape, seen, queries, normed);
    const op::Product out[] = {{&layer.attn_out, delta, c.d_model}};
    op::matmul(context, out, normed, q, n);
    add_delta(layer.attn_out_bias);
}

void Batch::feed_forward(const Layer& layer) {
    const arch::Config& c = config();
    norm(layer.ffn_norm);
    const op::Product products[] = {{&layer.ffn_gate, gate, c.d_ff}, {&layer.ffn_up, up, c.d_ff}};
    op::matmul(context, products, normed, c.d_model, n);
    op::for_each(context, n, [&](int t, int) {
        float* g = gate + std::int64_t{t} * c.d_ff;
        float* u = up + std::int64_t{t} * c.d_ff;
        add_bias(layer.ffn_gate_bias, context.kernels, g);
        add_bias(layer.ffn_up_bias, context.kernels, u);
        switch (c.act) {
            case arch::Act::silu: context.kernels.silu_mul(g, u, c.d_ff, g); break;
            case arch::Act::gelu_tanh: context.kernels.gelu_tanh_mul(g, u, c.d_ff, g); break;
            case arch::Act::gelu_erf: context.kernels.gelu_erf_mul(g, u, c.d_ff, g); break;
        }
    });
    const op::Product down[] = {{&layer.ffn_down, delta, c.d_model}};
    op::matmul(context, down, gate, c.d_ff, n);
    add_delta(layer.ffn_down_bias);
}

void Batch::add_delta(const std::vector<float>& bias) {
    const int d = config().d_model;
    op::for_each(context, n, [&](int t, int) {
        float* row = x + std::int64_t{t} * d;
        context.kernels.add(delta + std::int64_t{t} * d, d, row);
        add_bias(bias, context.kernels, row);
    });
}

void Batch::project(std::vector<float>& logits) {
    const arch::Config& c = config();
    int wanted = 0;
    for (int t = 0; t < n; ++t) {
        if (!inputs[static_cast<std::size_t>(t)].want_logits) continue;
        context.kernels.rms_norm(x + std::int64_t{t} * c.d_model, model.weights.output_norm.data(),
                                 c.d_model, c.norm_eps, normed + std::int64_t{wanted} * c.d_model);
        ++wanted;
    }
    if (wanted == 0) return;
    const std::size_t before = logits.size();
    logits.resize(before + static_cast<std::size_t>(wanted) * static_cast<std::size_t>(c.n_vocab));
    const op::Product out[] = {{&model.weights.output, logits.data() + before, c.n_vocab}};
    op::matmul(context, out, normed, c.d_model, wanted);
}

}  // namespace

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

void decode(const Decoder& decoder, op::Context& context, std::span<const Input> inputs,
            std::vector<float>& logits) {
    if (inputs.empty()) return;
    Batch batch(decoder, context, inputs);
    batch.embed();
    for (std::size_t l = 0; l < decoder.weights.layers.size(); ++l) {
        batch.attend(decoder.weights.layers[l], static_cast<int>(l));
        batch.feed_forward(decoder.weights.layers[l]);
    }
    batch.project(logits);
    for (const Input& input : inputs)
        input.cache->set_length(std::max<std::int64_t>(input.cache->length(), input.position + 1));
}

}  // namespace heft::model
