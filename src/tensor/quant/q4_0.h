// Q4_0: 32 weights of 4 bits and a float16 scale: w = d * (q - 8). Nibble j of `qs` is weight j in
// its low half and weight j + 16 in its high half.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q4_0 {

inline constexpr int kWeights = 32;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 18);

void dequantise(const void* from, std::int64_t n, float* to);
void quantise(const float* from, std::int64_t n, void* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q4_0
