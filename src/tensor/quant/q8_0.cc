#include "tensor/quant/q8_0.h"

#include <algorithm>
#include <cmath>

#include "tensor/quant/blocks.h"

namespace heft::quant::q8_0 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int j = 0; j < kWeights; ++j)
            y[j] = d * static_cast<float>(static_cast<std::int8_t>(b.qs[j]));
    });
}

void quantise(const float* from, std::int64_t n, void* to) {
    auto* out = static_cast<std::byte*>(to);
    for (std::int64_t i = 0; i < n; i += kWeights, out += sizeof(Block)) {
        float peak = 0.0F;
        for (int j = 0; j < kWeights; ++j) peak = std::max(peak, std::fabs(from[i + j]));
        Block block{};
        put_half(block.d, peak / 127.0F);
        const float inv = inverse(half_at(block.d));
        for (int j = 0; j < kWeights; ++j)
            block.qs[j] = static_cast<std::uint8_t>(nearest(from[i + j] * inv, -127, 127));
        std::memcpy(out, &block, sizeof block);
    }
}

}  // namespace heft::quant::q8_0
