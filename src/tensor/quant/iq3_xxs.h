// IQ3_XXS: 256 weights, 3.0625 bits each. Per four weights an index into a codebook of 256 entries;
// after all indices, per 32 weights 32 bits: four times seven signs (the eighth makes the minuses
// even) and on top a scale s of 4 bits. w = d * (0.5 + s) / 2 * level * sign, levels 4 to 62.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq3_xxs {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[64];
    std::uint8_t scales_signs[8][4];
};
static_assert(sizeof(Block) == 98);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq3_xxs
