// What the grouped types with 4-bit codes of unevenly spaced levels share: w = scale * level.
#pragma once

#include "tensor/quant/blocks.h"
#include "tensor/quant/grouped.h"

namespace heft::quant {

struct LevelBlock {
    std::uint8_t scale[4];
    std::uint8_t qs[16];
};
static_assert(sizeof(LevelBlock) == 20);

using Levels = float[16];

inline void dequantise_levels(const Levels& levels, const void* from, std::int64_t n, float* to) {
    each_block<LevelBlock, kGroupedWeights>(from, n, to, [&](const LevelBlock& b, float* y) {
        const auto scale = load<float>(b.scale);
        for (int j = 0; j < 16; ++j) {
            y[j] = scale * levels[b.qs[j] & 15];
            y[j + 16] = scale * levels[b.qs[j] >> 4];
        }
    });
}

inline void pack_levels(const std::uint8_t* codes, Group group, void* to) {
    LevelBlock block{};
    put_field(block.scale, group.scale);
    put_nibbles(codes, block.qs);
    std::memcpy(to, &block, sizeof block);
}

}  // namespace heft::quant
