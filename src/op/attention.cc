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
    std::int64_t at;  // position of the query

    // What stands beside the keys of one query head.
    Running begin(int head) const {
        return shape.sinks == nullptr ? Running{} : Running{shape.sinks[head], 1};
    }

    // Adds n_keys keys from position `from` on to the running result of one query head.
    void add(int head, const float* q, std::int64_t from, int n_keys, Running& running,
             float* acc) const {
        float scores[kBlock];
        const std::byte* k = keys + from * shape.key_row_bytes;
        const std::byte* v = values + from * shape.value_row_bytes;
        kernels.scores(shape.kv_type, q, k, shape.key_row_bytes, n_keys, shape.d_head, shape.scale,
                       scores);
        if (shape.cap > 0) kernels.soft_cap(scores, n_keys, shape.cap);
        if (shape.slopes != nullptr)
            for (int j = 0; j < n_keys; ++j)
                scores[j] += shape.slopes[head] * static_cast<float>(from + j - at);
        const float max = std::max(running.max, *std::max_element(scores, scores + n_keys));
        const float shrink = std::exp(running.max - max);  // 0 for the first block
        if (shrink != 1.0F)
            for (int i = 0; i < shape.d_value; ++i) acc[i] *= shrink;
        running.sum = running.sum * shrink + kernels.exp_sum(scores, n_keys, max);
        running.max = max;
        kernels.weighted_sum(shape.kv_type, scores, v, shape.value_row_bytes, n_keys, shape.d_value,
                             acc);
    }
};

}  // namespace

void attention(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
               const float* q, float* out) {
    HEFT_CHECK(shape.n_kv > 0 && shape.n_head % shape.n_kv == 0);
    const int group = shape.n_head / shape.n_kv;
    HEFT_CHECK(group <= kMostGroup);
    const std::int64_t number_bytes = dtype_info(shape.kv_type).block_bytes;
    const int n_tasks = static_cast<int>(seen.size()) * shape.n_kv;

    for_each(context, n_tasks, [&](int task, int) {
        const int token = task / shape.n_kv;
        const int kv = task % shape.n_kv;
        const Seen& range = seen[static_cast<std::size_t>(token)];
        const Head head{shape, context.kernels, range.keys + kv * number_bytes * shape.d_head,
                        range.values + kv * number_bytes * shape.d_value, range.last};
        const std::int64_t first = std::int64_t{token} * shape.n_head + std::int64_t{kv} * group;
        const float* queries = q + first * shape.d_head;
        float* results = out + first * shape.d_value;
        // Block by block, so that the query heads of a group share each block while it is cached.
        Running running[kMostGroup];
        for (int g = 0; g < group; ++g) running[g] = head.begin(kv * group + g);
        std::fill_n(results, std::int64_t{group} * shape.d_value, 0.0F);
        for (std::int64_t from = range.first; from <= range.last; from += kBlock) {
            const int n_keys =
                static_cast<int>(std::min<std::int64_t>(kBlock, range.last - from + 1));
            for (int g = 0; g < group; ++g)
                head.add(kv * group + g, queries + std::int64_t{g} * shape.d_head, from, n_keys,
                         running[g], results + std::int64_t{g} * shape.d_value);
        }
        for (int g = 0; g < group; ++g)
            for (int i = 0; i < shape.d_value; ++i)
                results[std::int64_t{g} * shape.d_value + i] /= running[g].sum;
    });
}

}  // namespace heft::op
