// Grouped-query attention over a cache, in blocks of keys with an online softmax
// (kernel/generic/attention.inl.h). Keys are divided into segments at fixed positions; each segment
// has a softmax of its own and these are merged in order (as in Flash-Decoding, Dao et al. 2023),
// so that threads may share a long context and no result depends on whether they did. ALiBi: Press
// et al. 2021; sinks: gpt-oss's learned logits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "op/context.h"
#include "tensor/dtype.h"

namespace heft::op {

struct AttentionShape {
    int n_head = 0;
    int n_kv = 0;     // divides n_head
    int d_head = 0;   // of queries and keys
    int d_value = 0;  // of values and results
    float scale = 1;
    float cap = 0;                  // scores become cap * tanh(score / cap); 0: as they are
    const float* slopes = nullptr;  // per query head: ALiBi's, times the distance to the key
    const float* sinks = nullptr;   // per query head: one more score, whose value is zero
    DType key_type = DType::f32;    // f32, f16, bf16, or q8_0 for widths of whole blocks
    DType value_type = DType::f32;
    std::int64_t key_row_bytes = 0;  // from one position to the next of a block
    std::int64_t value_row_bytes = 0;
    std::int64_t key_offset = 0;  // from a block's begin to its first key
    std::int64_t value_offset = 0;
};

inline constexpr int kBlock = kernel::kTileKeys;  // positions of a block of the cache

// One query token: it sees the keys of positions first … last, both included.
struct Seen {
    const std::byte* const* keys;    // the blocks that have them, from position 0 on
    const std::byte* const* values;  // the same ones, or others
    std::int64_t first;
    std::int64_t last;
};

inline constexpr int kSegment = 16 * kernel::kKeys;  // keys that share one softmax before merging

// q: [seen.size(), n_head * d_head], out: [seen.size(), n_head * d_value]. The bits of a token's
// result depend neither on the other tokens nor on the number of threads. Consecutive tokens with
// the same `keys` are computed together.
void attention(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
               const float* q, float* out);

}  // namespace heft::op
