// GFP4: 32 floats of 4 bits as bitsandbytes has them (a sign, then eight magnitudes in an order of
// its own) and a float32 scale: w = scale * level.
#pragma once

#include <cstdint>

#include "tensor/quant/levels.h"

namespace heft::quant::gfp4 {

inline constexpr Levels kLevels = {
    0.0F,  0.0625F / 12,  8.0F / 12,  12.0F / 12,  4.0F / 12,  6.0F / 12,  2.0F / 12,  3.0F / 12,
    -0.0F, -0.0625F / 12, -8.0F / 12, -12.0F / 12, -4.0F / 12, -6.0F / 12, -2.0F / 12, -3.0F / 12,
};

void dequantise(const void* from, std::int64_t n, float* to);

// Codes 0 to 15.
void pack(const std::uint8_t* codes, Group group, void* to);

}  // namespace heft::quant::gfp4
