// TQ1_0: 256 weights of {-1, 0, 1} at 1.6875 bits: w = d * (trit - 1). A byte holds five trits as
// the fraction byte / 256 = 0.t0t1t2t3t4 in base 3, rounded up. 32 bytes hold trit n of weight m at
// n * 32 + m, the next 16 likewise with 16, and 4 bytes of `qh` four trits each.
#pragma once

#include <cstdint>

namespace heft::quant::tq1_0 {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t qs[48];
    std::uint8_t qh[4];
    std::uint8_t d[2];
};
static_assert(sizeof(Block) == 54);

void dequantise(const void* from, std::int64_t n, float* to);
void quantise(const float* from, std::int64_t n, void* to);

}  // namespace heft::quant::tq1_0
