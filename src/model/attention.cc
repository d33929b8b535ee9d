// Attention with keys and values of their own.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/batch.h"
#include "model/each_token.h"
#include "tensor/quant/quant.h"

namespace heft::model {

void Batch::project_heads(const Layer& layer) {
    const arch::Config& c = config();
    const std::int64_t kv = std::int64_t{c.n_kv} * c.d_head;
    const std::int64_t kv_value = std::int64_t{c.n_kv} * c.d_value;
    const op::Product products[] = {{&layer.attn_q.weight, queries_, q_width_},
                                    {&layer.attn_k.weight, keys_, kv},
                                    {&layer.attn_v.weight, values_, kv_value}};
    multiply(products, normed_, c.d_model);
    add_bias(layer.attn_q, queries_, q_width_);
    add_bias(layer.attn_k, keys_, kv);
    add_bias(layer.attn_v, values_, kv_value);
    if (c.qkv_limit <= 0) return;
    const auto clamp = [&](float* numbers, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i)
            numbers[i] = std::clamp(numbers[i], -c.qkv_limit, c.qkv_limit);
    };
    clamp(queries_, n_ * q_width_);
    clamp(keys_, n_ * kv);
    clamp(values_, n_ * kv_value);
}

// Norms that come before rotation.
void Batch::finish_heads(const Norm& norm, int n_head, float* heads) const {
    const arch::Config& c = config();
    switch (c.block.qk_norm) {
        case arch::QkNorm::none:
        case arch::QkNorm::unit: return;
        case arch::QkNorm::head:
            for (int h = 0; h < n_head; ++h)
                normalise(norm, heads + h * c.d_head, c.d_head, heads + h * c.d_head);
            return;
        case arch::QkNorm::whole:
            normalise(norm, heads, std::int64_t{n_head} * c.d_head, heads);
            return;
    }
}

void Batch::rotate(int index, int token, int n_head, std::int64_t stride, float* heads) const {
    const arch::Config& c = config();
    if (!c.is_rotating(index)) return;
    const bool local = c.local_rope.dim > 0 && c.is_sliding(index);
    const int dim = local ? c.local_rope.dim : c.rope.dim;
    const float* angles = (local ? local_angles_ : angles_) + std::int64_t{token} * dim;
    op::rope(model_.rotations.short_rope.pairs, angles, dim / 2, n_head, static_cast<int>(stride),
             heads);
}

void Batch::store(int index, int token, const float* key, const float* value) {
    const Input& input = inputs_[static_cast<std::size_t>(token)];
    const kv::Cache& cache = *input.cache;
    const auto put = [&](DType type, const float* from, int width, std::byte* to) {
        auto* halves = reinterpret_cast<std::uint16_t*>(to);
        switch (type) {
            case DType::f16: context_.kernels.to_f16(from, width, halves); break;
            case DType::bf16: context_.kernels.to_bf16(from, width, halves); break;
            case DType::f32:
                std::memcpy(to, from, static_cast<std::size_t>(width) * sizeof(float));
                break;
            default: codec(type)->quantise(from, width, to);
        }
    };
    const kv::Shape& shape = cache.shape();
    put(shape.types.keys, key, shape.key_row, cache.key(index, input.position));
    if (value != nullptr)
        put(shape.types.values, value, shape.value_row, cache.value(index, input.position));
}

// Which keys a token sees in this layer.
void Batch::look_at(int index, int token) {
    const arch::Config& c = config();
    const Input& input = inputs_[static_cast<std::size_t>(token)];
    const kv::Cache& cache = *input.cache;
    op::Seen& seen = seen_[static_cast<std::size_t>(token)];
    seen = {cache.blocks(), cache.blocks(), 0, input.position};
    if (!c.is_sliding(index)) return;
    const std::int64_t at = input.position;
    seen.first = c.chunked ? at - at % c.window : std::max<std::int64_t>(0, at - c.window + 1);
}

// Finishes one token's queries, keys and values and puts the latter two into its cache.
void Batch::place(const Layer& layer, int index, int token) {
    const arch::Config& c = config();
    float* query = row(queries_, token, q_width_);
    float* key = row(keys_, token, std::int64_t{c.n_kv} * c.d_head);
    finish_heads(layer.attn_q_norm, c.n_head, query);
    finish_heads(layer.attn_k_norm, c.n_kv, key);
    rotate(index, token, c.n_head, c.d_head, query);
    rotate(index, token, c.n_kv, c.d_head, key);
    if (c.block.qk_norm == arch::QkNorm::unit && c.is_rotating(index)) {
        for (int h = 0; h < c.n_head; ++h)
            normalise({}, query + h * c.d_head, c.d_head, query + h * c.d_head);
        for (int h = 0; h < c.n_kv; ++h)
            normalise({}, key + h * c.d_head, c.d_head, key + h * c.d_head);
    }
    if (c.tune > 0 && (c.tune_all || !c.is_rotating(index))) {
        const int position = inputs_[static_cast<std::size_t>(token)].position;
        const int p = c.tune_all ? position : position + 1;
        const float steps = std::floor(static_cast<float>(p) / c.tune_length);
        const float factor = 1 + c.tune * std::log1p(steps);
        for (std::int64_t i = 0; i < q_width_; ++i) query[i] *= factor;
    }
    store(index, token, key, row(values_, token, std::int64_t{c.n_kv} * c.d_value));
    look_at(index, token);
}

void Batch::read_cache(const Layer& layer, int index, float* out) {
    static_assert(kv::kBlock == op::kBlock);
    const arch::Config& c = config();
    const kv::Cache& cache = *inputs_.front().cache;
    const bool latent = c.latent.kv_rank > 0;
    op::AttentionShape shape;
    shape.n_head = c.n_head;
    shape.n_kv = latent ? 1 : c.n_kv;
    shape.d_head = latent ? c.latent.kv_rank + c.latent.d_rope : c.d_head;
    shape.d_value = latent ? c.latent.kv_rank : c.d_value;
    shape.scale = c.attn_scale;
    shape.cap = c.attn_cap;
    shape.slopes = model_.slopes.empty() ? nullptr : model_.slopes.data();
    shape.sinks = layer.attn_sinks.empty() ? nullptr : layer.attn_sinks.data();
    shape.key_type = cache.shape().types.keys;
    shape.value_type = latent ? shape.key_type : cache.shape().types.values;
    shape.key_row_bytes = cache.key_row_bytes();
    shape.value_row_bytes = cache.value_row_bytes();
    shape.key_offset = cache.key_offset(index);
    shape.value_offset = cache.value_offset(index);
    op::attention(context_, shape, seen_, queries_, out);
}

void Batch::attend(const Layer& layer, int index) {
    const arch::Config& c = config();
    if (c.latent.kv_rank > 0) {
        attend_latent(layer, index);
    } else {
        project_heads(layer);
        each_token([&](int t) { place(layer, index, t); });
        read_cache(layer, index, heads_);
    }
    const op::Product out[] = {{&layer.attn_out.weight, delta_, c.d_model}};
    multiply(out, c.latent.kv_rank > 0 ? values_ : heads_, std::int64_t{c.n_head} * c.d_value);
    add_bias(layer.attn_out, delta_, c.d_model);
}

}  // namespace heft::model
