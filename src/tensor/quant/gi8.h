// GI8: 32 integers of 8 bits, a float32 scale and a zero point: w = scale * (q - zero), where q is
// without sign; integers with sign are stored plus 128, and so is their zero point.
#pragma once

#include <cstdint>

#include "tensor/quant/grouped.h"

namespace heft::quant::gi8 {

inline constexpr int kWeights = kGroupedWeights;

struct Block {
    std::uint8_t scale[4];
    std::uint8_t zero[2];  // int16
    std::uint8_t qs[32];
};
static_assert(sizeof(Block) == 38);

void dequantise(const void* from, std::int64_t n, float* to);

// Codes 0 to 255.
void pack(const std::uint8_t* codes, Group group, void* to);

}  // namespace heft::quant::gi8
