// Grouped-query attention over a cache, with an online softmax (Milakov & Gimelshein 2018): keys
// are read in blocks, no row of scores is ever whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "op/context.h"
#include "tensor/dtype.h"

namespace heft::op {

struct AttentionShape {
    int n_head = 0;
    int n_kv = 0;  // divides n_head
    int d_head = 0;
    float scale = 1;
    DType kv_type = DType::f32;     // f32 or bf16
    std::int64_t kv_row_bytes = 0;  // from one position to the next
};

// One query token: it sees the keys of positions first … last, both included.
struct Seen {
    const std::byte* keys;  // of position 0
    const std::byte* values;
    std::int64_t first;
    std::int64_t last;
};

// q and out: [seen.size(), n_head * d_head]. The result for a token does not depend on the others,
// nor on the number of threads.
void attention(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
               const float* q, float* out);

}  // namespace heft::op
