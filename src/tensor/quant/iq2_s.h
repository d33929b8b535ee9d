// IQ2_S: 256 weights, 2.5625 bits each. Per eight weights an index of 10 bits into a codebook of
// 1024 entries, its two high bits in `qh` (a byte per 32 weights, lowest first), and a byte of
// signs. Per 16 weights a scale s of 4 bits, low nibble first. w = d * (0.5 + s) / 4 * level *
// sign, levels 8, 25, 43.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq2_s {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[32];
    std::uint8_t signs[32];
    std::uint8_t qh[8];
    std::uint8_t scales[8];
};
static_assert(sizeof(Block) == 82);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq2_s
