// Q8_0: 32 weights of 8 bits with sign and a float16 scale: w = d * q.
#pragma once

#include <cstdint>

namespace heft::quant::q8_0 {

inline constexpr int kWeights = 32;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[32];
};
static_assert(sizeof(Block) == 34);

void dequantise(const void* from, std::int64_t n, float* to);
// The definition; the tables of kernel/ have faster ones with the same bits.
void quantise(const float* from, std::int64_t n, void* to);

}  // namespace heft::quant::q8_0
