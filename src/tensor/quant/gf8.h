// GF8: 32 floats of 8 bits (E4M3) and a float32 scale: w = scale * f. FP8 checkpoints.
#pragma once

#include <cstdint>

#include "tensor/quant/grouped.h"

namespace heft::quant::gf8 {

inline constexpr int kWeights = kGroupedWeights;

struct Block {
    std::uint8_t scale[4];
    std::uint8_t qs[32];
};
static_assert(sizeof(Block) == 36);

void dequantise(const void* from, std::int64_t n, float* to);

// Codes are the floats' bits.
void pack(const std::uint8_t* codes, Group group, void* to);

}  // namespace heft::quant::gf8
