// IQ1_M: 256 weights, 1.75 bits each. Per eight weights an index of 11 bits into the codebook of
// IQ1_S, low byte in `qs`, and a nibble of `qh`: three index bits and the sign of delta = 1/8. Per
// 64 weights a u16 of `scales`: four scales s of 3 bits, one for 16 weights, and four bits of the
// float16 d, lowest first. w = d * (2 s + 1) * (level + delta).
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq1_m {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t qs[32];
    std::uint8_t qh[16];
    std::uint8_t scales[4][2];
};
static_assert(sizeof(Block) == 56);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq1_m
