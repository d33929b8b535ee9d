// Q4_1: 32 weights of 4 bits, a float16 scale and minimum: w = d * q + m. Nibbles as in Q4_0.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q4_1 {

inline constexpr int kWeights = 32;

struct Block {
    std::uint8_t d[2];
    std::uint8_t m[2];
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 20);

void dequantise(const void* from, std::int64_t n, float* to);
void quantise(const float* from, std::int64_t n, void* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q4_1
