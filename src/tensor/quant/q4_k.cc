#include "tensor/quant/q4_k.h"

#include <algorithm>

#include "tensor/quant/blocks.h"

namespace heft::quant::q4_k {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const float dmin = half_at(b.dmin);
        for (int g = 0; g < 8; ++g) {  // 32 bytes hold two groups, one in each nibble
            const std::uint8_t* q = b.qs + g / 2 * 32;
            const auto [sc, m] = scale_min(b.scales, g);
            const float scale = d * static_cast<float>(sc);
            const float minimum = dmin * static_cast<float>(m);
            for (int l = 0; l < 32; ++l)
                *y++ = scale * static_cast<float>(q[l] >> (g % 2 * 4) & 15) - minimum;
        }
    });
}

namespace {

void put_scale_min(std::uint8_t* s, int g, ScaleMin value) {
    if (g < 4) {
        s[g] = static_cast<std::uint8_t>(s[g] | value.scale);
        s[g + 4] = static_cast<std::uint8_t>(s[g + 4] | value.minimum);
        return;
    }
    s[g + 4] = static_cast<std::uint8_t>((value.scale & 15) | (value.minimum & 15) << 4);
    s[g - 4] = static_cast<std::uint8_t>(s[g - 4] | (value.scale >> 4) << 6);
    s[g] = static_cast<std::uint8_t>(s[g] | (value.minimum >> 4) << 6);
}

Block quantise_block(const float* x) {
    float scales[8];
    float minima[8];  // how far below zero each group reaches
    for (int g = 0; g < 8; ++g) {
        const auto [low, high] = std::minmax_element(x + 32 * g, x + 32 * g + 32);
        minima[g] = std::max(0.0F, -*low);
        scales[g] = (std::max(0.0F, *high) + minima[g]) / 15.0F;
    }
    Block block{};
    put_half(block.d, *std::max_element(scales, scales + 8) / 63.0F);
    put_half(block.dmin, *std::max_element(minima, minima + 8) / 63.0F);
    const float d = half_at(block.d);
    const float dmin = half_at(block.dmin);
    for (int g = 0; g < 8; ++g) {
        const int sc = nearest(scales[g] * inverse(d), 0, 63);
        const int m = nearest(minima[g] * inverse(dmin), 0, 63);
        put_scale_min(block.scales, g,
                      {static_cast<std::uint8_t>(sc), static_cast<std::uint8_t>(m)});
        const float inv = inverse(d * static_cast<float>(sc));
        const float minimum = dmin * static_cast<float>(m);
        for (int l = 0; l < 32; ++l) {
            std::uint8_t& q = block.qs[g / 2 * 32 + l];
            const int level = nearest((x[32 * g + l] + minimum) * inv, 0, 15);
            q = static_cast<std::uint8_t>(q | level << (g % 2 * 4));
        }
    }
    return block;
}

}  // namespace

void quantise(const float* from, std::int64_t n, void* to) {
    auto* out = static_cast<std::byte*>(to);
    for (std::int64_t i = 0; i < n; i += kWeights, out += sizeof(Block)) {
        const Block block = quantise_block(from + i);
        std::memcpy(out, &block, sizeof block);
    }
}

}  // namespace heft::quant::q4_k
