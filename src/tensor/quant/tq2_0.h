// TQ2_0: 256 weights of 2 bits: w = d * (q - 1), q of 0, 1, 2 (3 gives 2 d). Byte m of 32 holds the
// weights m, m + 32, m + 64, m + 96, lowest bits first.
#pragma once

#include <cstdint>

namespace heft::quant::tq2_0 {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t qs[64];
    std::uint8_t d[2];
};
static_assert(sizeof(Block) == 66);

void dequantise(const void* from, std::int64_t n, float* to);
void quantise(const float* from, std::int64_t n, void* to);

}  // namespace heft::quant::tq2_0
