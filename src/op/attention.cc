#include "op/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "op/parallel.h"

namespace heft::op {

namespace {

constexpr int kMostGroup = 1024;  // query heads per key/value head; config.cc allows no more
constexpr int kBlock = 128;  // keys; with 128-wide bf16 heads, K and V blocks stay in the L2 cache

// Softmax so far of one query head.
struct Running {
    float max = -std::numeric_limits<float>::infinity();
    float sum = 0;
};

struct Head {
    const AttentionShape& shape;
    const kernel::Table& kernels;
    const std::byte* keys;
    const std::byte* values;

    // Adds n_keys keys from position `from` on to the running result of one query head.
    void add(const float* q, std::int64_t from, int n_keys, Running& running, float* acc) const {
        float scores[kBlock];
        const std::byte* k = keys + from * shape.kv_row_bytes;
        const std::byte* v = values + from * shape.kv_row_bytes;
        kernels.scores(shape.kv_type, q, k, shape.kv_row_bytes, n_keys, shape.d_head, shape.scale,
                       scores);
        const float max = std::max(running.max, *std::max_element(scores, scores + n_keys));
        const float shrink = std::exp(running.max - max);  // 0 for the first block
        if (shrink != 1.0F)
            for (int i = 0; i < shape.d_head; ++i) acc[i] *= shrink;
        running.sum = running.sum * shrink + kernels.exp_sum(scores, n_keys, max);
        running.max = max;
        kernels.weighted_sum(shape.kv_type, scores, v, shape.kv_row_bytes, n_keys, shape.d_head,
                             acc);
    }
};

}  // namespace

void attention(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
               const float* q, float* out) {
    HEFT_CHECK(shape.n_kv > 0 && shape.n_head % shape.n_kv == 0);
    HEFT_CHECK(shape.kv_type == DType::f32 || shape.kv_type == DType::bf16);
    const int group = shape.n_head / shape.n_kv;
    HEFT_CHECK(group <= kMostGroup);
    const std::int64_t head_bytes =
        std::int64_t{shape.d_head} * (shape.kv_type == DType::f32 ? 4 : 2);
    const std::int64_t width = std::int64_t{shape.n_head} * shape.d_head;
    const int n_tasks = static_cast<int>(seen.size()) * shape.n_kv;

    for_each(context, n_tasks, [&](int task, int) {
        const int token = task / shape.n_kv;
        const int kv = task % shape.n_kv;
        const Seen& range = seen[static_cast<std::size_t>(token)];
        const Head head{shape, context.kernels, range.keys + kv * head_bytes,
                        range.values + kv * head_bytes};
        const std::int64_t first_head = token * width + std::int64_t{kv} * group * shape.d_head;
        // Block by block, so that the query heads of a group share each block while it is cached.
        Running running[kMostGroup];
        std::fill_n(out + first_head, std::int64_t{group} * shape.d_head, 0.0F);
        for (std::int64_t from = range.first; from <= range.last; from += kBlock) {
            const int n_keys =
                static_cast<int>(std::min<std::int64_t>(kBlock, range.last - from + 1));
            for (int g = 0; g < group; ++g) {
                const std::int64_t at = first_head + std::int64_t{g} * shape.d_head;
                head.add(q + at, from, n_keys, running[g], out + at);
            }
        }
        for (int g = 0; g < group; ++g)
            for (int i = 0; i < shape.d_head; ++i)
                out[first_head + std::int64_t{g} * shape.d_head + i] /= running[g].sum;
    });
}

}  // namespace heft::op
