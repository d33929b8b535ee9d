// MXFP4 (OCP microscaling): 32 floats of 4 bits (e2m1) and a power of two as the scale. The levels
// are stored doubled, the scale halved: w = 2^(e - 128) * level. Nibbles as in Q4_0.
#pragma once

#include <cstdint>

namespace heft::quant::mxfp4 {

inline constexpr int kWeights = 32;

struct Block {
    std::uint8_t e;
    std::uint8_t qs[16];
};
static_assert(sizeof(Block) == 17);

inline constexpr std::int8_t kLevels[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                            0, -1, -2, -3, -4, -6, -8, -12};

void dequantise(const void* from, std::int64_t n, float* to);
void quantise(const float* from, std::int64_t n, void* to);

}  // namespace heft::quant::mxfp4
