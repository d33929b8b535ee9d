// Q6_K: 256 weights of 6 bits in 16 groups of 16 with 8-bit signed scales: w = d * sc * (q - 32).
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q6_k {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t ql[128];
    std::uint8_t qh[64];
    std::uint8_t scales[16];
    std::uint8_t d[2];
};
static_assert(sizeof(Block) == 210);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q6_k
