// Exact order statistics of numbers that are computed from blocks and never kept: which value has
// rank r of all. Two passes over the blocks, counting first the upper and then the lower half of
// each number's bits; sums of integers, and so the same however the blocks are shared out.
#pragma once

#include <functional>
#include <vector>

#include "merge/scan.h"

namespace heft::merge {

// Fills one list of block.size() numbers, none below zero and none NaN, for each series.
using Series = std::function<void(const Block& block, std::vector<std::vector<float>>& to)>;

// ranks[s]: ranks wanted of series s, 0 for the smallest, each below inputs.size(). The result has
// a value for each of them. Without any rank nothing is read.
Result<std::vector<std::vector<float>>> values_at_ranks(
    const Inputs& inputs, Scanner& scanner, const Series& series,
    const std::vector<std::vector<std::int64_t>>& ranks);

}  // namespace heft::merge
