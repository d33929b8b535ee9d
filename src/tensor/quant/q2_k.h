// Q2_K: 256 weights of 2 bits in 16 groups of 16; a byte per group holds scale (low nibble) and
// minimum (high nibble), both in units of two float16: w = d * sc * q - dmin * m.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q2_k {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t scales[16];
    std::uint8_t qs[64];
    std::uint8_t d[2];
    std::uint8_t dmin[2];
};
static_assert(sizeof(Block) == 84);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q2_k
