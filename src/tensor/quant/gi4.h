// GI4: 32 integers of 4 bits, a float32 scale and a zero point: w = scale * (q - zero). GPTQ, AWQ
// and compressed-tensors.
#pragma once

#include <cstdint>

#include "tensor/quant/grouped.h"

namespace heft::quant::gi4 {

inline constexpr int kWeights = kGroupedWeights;

struct Block {
    std::uint8_t scale[4];
    std::uint8_t zero[2];  // int16
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 22);

void dequantise(const void* from, std::int64_t n, float* to);

// Codes 0 to 15.
void pack(const std::uint8_t* codes, Group group, void* to);

}  // namespace heft::quant::gi4
