// GFP4: 32 floats of 4 bits as bitsandbytes has them (a sign, then eight magnitudes in an order of
// its own) and a float32 scale: w = scale * level.
#pragma once

#include <cstdint>

#include "tensor/quant/grouped.h"

namespace heft::quant::gfp4 {

inline constexpr int kWeights = kGroupedWeights;

struct Block {
    std::uint8_t scale[4];
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 20);

inline constexpr float kLevels[16] = {
    0.0F,  0.0625F / 12,  8.0F / 12,  12.0F / 12,  4.0F / 12,  6.0F / 12,  2.0F / 12,  3.0F / 12,
    -0.0F, -0.0625F / 12, -8.0F / 12, -12.0F / 12, -4.0F / 12, -6.0F / 12, -2.0F / 12, -3.0F / 12,
};

void dequantise(const void* from, std::int64_t n, float* to);

// Codes 0 to 15.
void pack(const std::uint8_t* codes, Group group, void* to);

}  // namespace heft::quant::gfp4
