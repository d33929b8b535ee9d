#include "tensor/quant/q8_0.h"

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
    make_blocks<Block, kWeights>(from, n, to, [](const float* x, std::int64_t) {
        const float scale = greatest(x, kWeights) / 127.0F;
        const float inv = inverse(scale);
        Block block{};
        put_half(block.d, scale);
        int level[kWeights];
        for (int j = 0; j < kWeights; ++j) level[j] = nearest_within(x[j] * inv, 127);
        for (int j = 0; j < kWeights; ++j) block.qs[j] = static_cast<std::uint8_t>(level[j]);
        return block;
    });
}

}  // namespace heft::quant::q8_0
