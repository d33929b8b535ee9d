// GNF4: 32 codes of NF4 (the quantiles of a normal distribution, QLoRA, arXiv 2305.14314, appendix
// E) and a float32 scale: w = scale * level. bitsandbytes.
#pragma once

#include <cstdint>

#include "tensor/quant/levels.h"

namespace heft::quant::gnf4 {

inline constexpr Levels kLevels = {
    -1.0F,
    -0.6961928009986877F,
    -0.5250730514526367F,
    -0.39491748809814453F,
    -0.28444138169288635F,
    -0.18477343022823334F,
    -0.09105003625154495F,
    0.0F,
    0.07958029955625534F,
    0.16093020141124725F,
    0.24611230194568634F,
    0.33791524171829224F,
    0.44070982933044434F,
    0.5626170039176941F,
    0.7229568362236023F,
    1.0F,
};

void dequantise(const void* from, std::int64_t n, float* to);

// Codes 0 to 15.
void pack(const std::uint8_t* codes, Group group, void* to);

}  // namespace heft::quant::gnf4
