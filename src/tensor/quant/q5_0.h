// Q5_0: 32 weights of 5 bits and a float16 scale: w = d * (q - 16). Low four bits as in Q4_0; bit j
// of the 32-bit `qh` is the fifth bit of weight j.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q5_0 {

inline constexpr int kWeights = 32;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qh[4];
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 22);

void dequantise(const void* from, std::int64_t n, float* to);
void quantise(const float* from, std::int64_t n, void* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q5_0
