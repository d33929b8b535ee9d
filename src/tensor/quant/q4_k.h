// Q4_K: 256 weights of 4 bits in 8 groups of 32 with 6-bit scales and minima:
// w = d * sc * q - dmin * m.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q4_k {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t dmin[2];
    std::uint8_t scales[12];
    std::uint8_t qs[128];
};
static_assert(sizeof(Block) == 144);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q4_k
