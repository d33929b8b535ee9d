// Attention in bfloat16 tiles, for many tokens of one sequence (docs/decisions/0012): queries,
// keys, values and softmax weights are rounded to bfloat16, sums are float32.
#pragma once

#include <span>

#include "op/attention.h"

namespace heft::op {

// Whether so many consecutive tokens of a sequence are computed by tiles here. Never where a token
// must get the bits that it gets alone.
bool attends_by_tiles(const Context& context, std::size_t n_tokens);

// As attention(), of tokens that all have the same keys. A token's bits depend neither on the other
// tokens nor on the number of threads.
void attention_by_tiles(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
                        const float* q, float* out);

}  // namespace heft::op
