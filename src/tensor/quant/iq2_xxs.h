// IQ2_XXS: 256 weights, 2.0625 bits each. Per 32 weights eight bytes: four indices into a codebook
// of 256 entries of eight, then 32 bits: four times seven signs (the eighth makes the minuses even)
// and on top a scale s of 4 bits. w = d * (0.5 + s) / 4 * level * sign, levels 8, 25, 43.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq2_xxs {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t groups[8][8];
};
static_assert(sizeof(Block) == 66);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq2_xxs
