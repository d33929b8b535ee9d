// The encoders of the K types: 256 weights in groups, each with small integers for its scale (and
// minimum), in units of one or two float16 of the block. Q2_K, Q4_K, Q5_K have minima; Q3_K and
// Q6_K do not. This finds the numbers; the types' own files pack them.
#pragma once

#include <cstdint>

#include "tensor/quant/encoding.h"

namespace heft::quant {

inline constexpr int kBlock = 256;
inline constexpr int kMostGroups = 16;

struct AffineShape {
    int group;      // weights in a group
    int top;        // levels 0 … top
    int scale_top;  // scales and minima 0 … scale_top
};
// x ~ d * scale * level - dmin * minimum
struct AffineBlock {
    std::uint16_t d = 0, dmin = 0;  // float16
    std::uint8_t scale[kMostGroups] = {};
    std::uint8_t minimum[kMostGroups] = {};
    std::uint8_t level[kBlock] = {};
};
// `importance`: of these 256 weights, or nullptr.
AffineBlock encode_affine(const float* x, const float* importance, const AffineShape& shape,
                          SumLevels sum);

struct SymmetricShape {
    int group;
    int low;        // levels low … -low - 1
    int scale_low;  // scales scale_low … -scale_low - 1
};
// x ~ d * scale * level
struct SymmetricBlock {
    std::uint16_t d = 0;
    std::int8_t scale[kMostGroups] = {};
    std::int8_t level[kBlock] = {};
};
SymmetricBlock encode_symmetric(const float* x, const float* importance,
                                const SymmetricShape& shape, SumLevels sum);

}  // namespace heft::quant
