// IQ4_XS: 256 indices into the levels of IQ4_NL in 8 groups of 32 with 6-bit scales:
// w = d * (sc - 32) * level.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq4_xs {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t scales_h[2];
    std::uint8_t scales_l[4];
    std::uint8_t qs[128];
};
static_assert(sizeof(Block) == 136);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq4_xs
