// IQ1_S: 256 weights, 1.5625 bits each. Per eight weights an index of 11 bits into a codebook of
// 2048 entries of {-1, 0, 1}: low byte in `qs`, three bits in `qh`. Per 32 weights a u16 of `qh`:
// four times three index bits, a scale s of 3 bits, and the sign of delta = 1/8. w = d * (2 s + 1)
// * (level + delta).
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq1_s {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[32];
    std::uint8_t qh[8][2];
};
static_assert(sizeof(Block) == 50);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq1_s
