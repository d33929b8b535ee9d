#include "tensor/quant/q4_0.h"

#include <algorithm>
#include <cmath>

#include "tensor/quant/blocks.h"

namespace heft::quant::q4_0 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int j = 0; j < 16; ++j) {
            y[j] = d * static_cast<float>((b.qs[j] & 15) - 8);
            y[j + 16] = d * static_cast<float>((b.qs[j] >> 4) - 8);
        }
    });
}

void quantise(const float* from, std::int64_t n, void* to) {
    auto* out = static_cast<std::byte*>(to);
    for (std::int64_t i = 0; i < n; i += kWeights, out += sizeof(Block)) {
        const float* x = from + i;
        // The weight of greatest magnitude becomes -8, the level that has no positive twin.
        const float peak = *std::max_element(
            x, x + kWeights, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
        Block block{};
        put_half(block.d, peak / -8.0F);
        const float inv = inverse(half_at(block.d));
        for (int j = 0; j < 16; ++j)
            block.qs[j] = static_cast<std::uint8_t>((nearest(x[j] * inv, -8, 7) + 8)
                                                    | (nearest(x[j + 16] * inv, -8, 7) + 8) << 4);
        std::memcpy(out, &block, sizeof block);
    }
}

}  // namespace heft::quant::q4_0
