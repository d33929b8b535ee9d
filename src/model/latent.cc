// Latent attention (DeepSeek-V2, section 2.1), in its absorbed form: the cache holds one latent
// vector per token; queries are brought into the latent space, where keys and values are the same
// rows, and the result is brought out of it. Prefill does the same: bringing the cache out of the
// latent space for a chunk of many tokens would take fewer products, but a token's result would
// then depend on the chunk it is computed in.
#include <algorithm>

#include "model/batch.h"
#include "model/each_token.h"

namespace heft::model {

namespace {

// The latent norms have an epsilon of their own.
void norm_latent(const op::Context& context, const Norm& norm, float eps, float* x) {
    context.kernels.rms_norm(x, norm.weight.data(), static_cast<std::int64_t>(norm.weight.size()),
                             eps, x);
}

}  // namespace

// Into values_: [n, n_head * d_head], as the weights give them.
void Batch::latent_queries(const Layer& layer) {
    const arch::Config& c = config();
    const LatentAttention& latent = layer.latent;
    const std::int64_t width = std::int64_t{c.n_head} * c.d_head;
    const std::int64_t key = c.latent.kv_rank + c.latent.d_rope;
    if (c.latent.q_rank == 0) {
        const op::Product products[] = {{&layer.attn_q.weight, values_, width},
                                        {&latent.kv_a.weight, keys_, key}};
        return multiply(products, normed_, c.d_model);
    }
    const op::Product products[] = {{&latent.q_a.weight, latent_, c.latent.q_rank},
                                    {&latent.kv_a.weight, keys_, key}};
    multiply(products, normed_, c.d_model);
    each_token([&](int t) {
        norm_latent(context_, latent.q_norm, c.latent_norm_eps, row(latent_, t, c.latent.q_rank));
    });
    const op::Product out[] = {{&latent.q_b.weight, values_, width}};
    multiply(out, latent_, c.latent.q_rank);
}

void Batch::place_latent(const Layer& layer, int index, int token) {
    const arch::Config& c = config();
    const int rank = c.latent.kv_rank;
    const std::int64_t nope = c.d_head - c.latent.d_rope;
    float* key = row(keys_, token, rank + c.latent.d_rope);
    norm_latent(context_, layer.latent.kv_norm, c.latent_norm_eps, key);
    rotate(index, token, 1, c.latent.d_rope, key + rank);
    float* query = row(values_, token, std::int64_t{c.n_head} * c.d_head);
    rotate(index, token, c.n_head, c.d_head, query + nope);
    store(index, token, key, nullptr);
    look_at(index, token);
}

void Batch::attend_latent(const Layer& layer, int index) {
    const arch::Config& c = config();
    const std::int64_t rank = c.latent.kv_rank;
    const std::int64_t wide = rank + c.latent.d_rope;
    const std::int64_t nope = c.d_head - c.latent.d_rope;
    const std::int64_t q_stored = std::int64_t{c.n_head} * c.d_head;
    latent_queries(layer);
    each_token([&](int t) { place_latent(layer, index, t); });

    // Each head's queries into the latent space; what rotates stays as it is.
    std::vector<op::Product> products(static_cast<std::size_t>(c.n_head));
    std::vector<op::Group> groups(products.size());
    const auto per_head = [&](const std::vector<op::Weight>& weights, const float* from,
                              std::int64_t from_head, std::int64_t from_row, float* to,
                              std::int64_t to_head, std::int64_t to_row) {
        for (std::size_t h = 0; h < groups.size(); ++h) {
            const auto head = static_cast<std::int64_t>(h);
            products[h] = {&weights[h], to + head * to_head, to_row};
            groups[h] = {{&products[h], 1}, from + head * from_head, from_row, n_};
        }
        op::matmul(context_, groups);
    };
    per_head(layer.latent.k_b, values_, c.d_head, q_stored, queries_, wide, q_width_);
    each_token([&](int t) {
        for (int h = 0; h < c.n_head; ++h)
            std::copy_n(row(values_, t, q_stored) + h * std::int64_t{c.d_head} + nope,
                        c.latent.d_rope, row(queries_, t, q_width_) + h * wide + rank);
    });
    read_cache(layer, index, heads_);
    const std::int64_t value_row = std::int64_t{c.n_head} * c.d_value;
    per_head(layer.latent.v_b, heads_, rank, value_width_, values_, c.d_value, value_row);
}

}  // namespace heft::model
