// What an encoder is told, and the inner loops of which kernel/ has faster ones. An encoder that
// searches does not round to a scale given by the greatest weight, but tries many scales and keeps
// the one of least weighted squared error. A level q stands for scale * q + offset; for fixed
// levels the best scale follows from a few sums (linear least squares), so trying a scale costs
// those sums.
#pragma once

#include <cstdint>

#include "tensor/quant/q8_0.h"

namespace heft::quant {

inline constexpr int kTries = 16;  // scales that are tried at once

// n weights x with their importances w, and 16 scales, by their inverses. The level of a weight is
// (x - offset) * inverse, to the nearest integer (ties to even), within [low, high].
struct LevelQuery {
    const float* x;
    const float* w;
    int n;
    float offset;
    float low, high;
    float inverse[kTries];
};

// For each of the 16: the sums over weights of w q, w q q and w x q. Summed in ascending order.
struct LevelSums {
    float l[kTries];
    float ll[kTries];
    float xl[kTries];
};

using SumLevels = void (*)(const LevelQuery& query, LevelSums& sums) noexcept;

// The definition; the tables of kernel/ have faster ones with the same bits.
void sum_levels(const LevelQuery& query, LevelSums& sums) noexcept;

// Makes n weights (whole blocks) into blocks of one type.
using MakeBlocks = void (*)(const float* from, std::int64_t n, void* to);

struct Encoding {
    // How much an error of each of the n weights counts (of an importance matrix: the mean square
    // of what it is multiplied by); nullptr: all alike, but for what the weights say themselves.
    const float* importance = nullptr;
    SumLevels sum_levels = quant::sum_levels;
    MakeBlocks make_q8_0 = q8_0::quantise;
};

}  // namespace heft::quant
