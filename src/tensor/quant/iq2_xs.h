// IQ2_XS: 256 weights, 2.3125 bits each. Per eight weights a u16: an index of 9 bits into a
// codebook of 512 entries, and seven signs above it (the eighth makes the minuses even). Per 16
// weights a scale s of 4 bits, low nibble first. w = d * (0.5 + s) / 4 * level * sign, levels 8,
// 25, 43.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq2_xs {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[32][2];
    std::uint8_t scales[8];
};
static_assert(sizeof(Block) == 74);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq2_xs
