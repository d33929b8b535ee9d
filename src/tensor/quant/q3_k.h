// Q3_K: 256 weights of 3 bits in 16 groups of 16 with 6-bit scales: w = d * (sc - 32) * (q - 4).
// The third bit lies in `hmask`, bit m of byte l for weight 32 m + l.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q3_k {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t hmask[32];
    std::uint8_t qs[64];
    std::uint8_t scales[12];
    std::uint8_t d[2];
};
static_assert(sizeof(Block) == 110);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q3_k
