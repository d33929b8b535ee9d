#include "tensor/quant/q6_k.h"

#include <algorithm>
#include <cmath>

#include "tensor/quant/blocks.h"

namespace heft::quant::q6_k {

namespace {

// Where weight i lies: a byte and a shift for its four low bits, the same for its two high bits.
struct Place {
    int low;
    int low_shift;
    int high;
    int high_shift;
};

Place place(int i) {
    const int half = i / 128;
    const int within = i % 128;
    return {64 * half + within % 64, within / 64 * 4, 32 * half + within % 32, within / 32 * 2};
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int i = 0; i < kWeights; ++i) {
            const Place at = place(i);
            const int q =
                (b.ql[at.low] >> at.low_shift & 15) | (b.qh[at.high] >> at.high_shift & 3) << 4;
            const float scale = d * static_cast<float>(static_cast<std::int8_t>(b.scales[i / 16]));
            y[i] = scale * static_cast<float>(q - 32);
        }
    });
}

namespace {

Block quantise_block(const float* x) {
    float scales[16];
    for (int g = 0; g < 16; ++g) {
        // The weight of greatest magnitude becomes -32, the level that has no positive twin.
        const float peak = *std::max_element(x + 16 * g, x + 16 * g + 16, [](float a, float b) {
            return std::fabs(a) < std::fabs(b);
        });
        scales[g] = peak / -32.0F;
    }
    const float peak = *std::max_element(
        scales, scales + 16, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    Block block{};
    put_half(block.d, peak / -128.0F);
    const float d = half_at(block.d);
    for (int g = 0; g < 16; ++g)
        block.scales[g] = static_cast<std::uint8_t>(nearest(scales[g] * inverse(d), -128, 127));
    for (int i = 0; i < kWeights; ++i) {
        const Place at = place(i);
        const float scale = d * static_cast<float>(static_cast<std::int8_t>(block.scales[i / 16]));
        const int q = nearest(x[i] * inverse(scale), -32, 31) + 32;
        block.ql[at.low] = static_cast<std::uint8_t>(block.ql[at.low] | (q & 15) << at.low_shift);
        block.qh[at.high] =
            static_cast<std::uint8_t>(block.qh[at.high] | (q >> 4) << at.high_shift);
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

}  // namespace heft::quant::q6_k
