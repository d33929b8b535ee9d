// IQ3_S: 256 weights, 3.4375 bits each. Per four weights an index of 9 bits into a codebook of 512
// entries, its high bit in `qh`; per eight weights a byte of signs; per 32 weights a scale s of 4
// bits, low nibble first. w = d * (1 + 2 s) * level * sign, levels 1, 3, .. 15.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq3_s {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[64];
    std::uint8_t qh[8];
    std::uint8_t signs[32];
    std::uint8_t scales[4];
};
static_assert(sizeof(Block) == 110);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq3_s
