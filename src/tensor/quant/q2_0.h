// Q2_0: 64 weights of 2 bits and a float16 scale: w = d * (q - 1), so -d, 0, d, 2 d. Byte i / 4
// holds weight i, the first in the lowest bits.
#pragma once

#include <cstdint>

namespace heft::quant::q2_0 {

inline constexpr int kWeights = 64;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 18);

void dequantise(const void* from, std::int64_t n, float* to);

}  // namespace heft::quant::q2_0
