// Q5_K: as Q4_K with a fifth bit per weight in `qh`: bit g of byte l for weight l of group g.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant::q5_k {

inline constexpr int kWeights = 256;

struct Block {
    std::uint8_t d[2];
    std::uint8_t dmin[2];
    std::uint8_t scales[12];
    std::uint8_t qh[32];
    std::uint8_t qs[128];
};
static_assert(sizeof(Block) == 176);

void dequantise(const void* from, std::int64_t n, float* to);
void encode(const float* from, const Encoding& how, std::int64_t n, void* to);

}  // namespace heft::quant::q5_k
