// IQ4_NL: 32 indices of 4 bits into a fixed table of 16 levels, and a float16 scale: w = d * level.
// Nibbles as in Q4_0.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::iq4_nl {

inline constexpr int kWeights = 32;

struct Block {
    std::uint8_t d[2];
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 18);

inline constexpr std::int8_t kLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                            1,    13,   25,  38,  53,  69,  89,  113};

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::iq4_nl
