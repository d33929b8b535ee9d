// Q1_0: 128 weights of one bit and a float16 scale: w = d where the bit is set, else -d. Bit i % 8
// of byte i / 8 is weight i.
#pragma once

#include <cstdint>

namespace heft::quant::q1_0 {

inline constexpr int kWeights = 128;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 18);

void dequantise(const void* from, std::int64_t n, float* to);

}  // namespace heft::quant::q1_0
