#include "tensor/quant/q4_0.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"

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

namespace {

// Levels of 32 weights by an inverse scale. Not `nearest`: halves go up, as in every other program.
Block with_levels(const float* x, float scale, float inv) {
    Block block{};
    put_half(block.d, scale);
    const auto level = [inv](float value) { return floor_within(value * inv + 8.5F, 15); };
    for (int j = 0; j < 16; ++j)
        block.qs[j] = static_cast<std::uint8_t>(level(x[j]) | level(x[j + 16]) << 4);
    return block;
}

}  // namespace

void quantise(const float* from, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [](const float* x, std::int64_t) {
        // The weight of greatest magnitude becomes -8, the level that has no positive twin.
        const float scale = peak_of(x, kWeights) / -8.0F;
        return with_levels(x, scale, inverse(scale));
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    if (how.importance == nullptr) return quantise(from, n, to);
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        float w[kWeights];
        weigh(x, how.importance + i, kWeights, w);
        const float scale = fit_symmetric(x, w, kWeights, -8, how.sum_levels);
        return with_levels(x, scale, inverse(from_f16(to_f16(scale))));
    });
}

}  // namespace heft::quant::q4_0
