#include "tensor/quant/q5_1.h"

#include <algorithm>

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"

namespace heft::quant::q5_1 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const float m = half_at(b.m);
        const auto high = load<std::uint32_t>(b.qh);
        for (int j = 0; j < 16; ++j) {
            const int low_q = (b.qs[j] & 15) | static_cast<int>(high >> j & 1U) << 4;
            const int high_q = (b.qs[j] >> 4) | static_cast<int>(high >> (j + 16) & 1U) << 4;
            y[j] = d * static_cast<float>(low_q) + m;
            y[j + 16] = d * static_cast<float>(high_q) + m;
        }
    });
}

namespace {

Block with_levels(const float* x, float scale, float minimum, float inv) {
    Block block{};
    put_half(block.d, scale);
    put_half(block.m, minimum);
    put_five_bits(block.qs, block.qh,
                  [=](int j) { return floor_within((x[j] - minimum) * inv + 0.5F, 31); });
    return block;
}

}  // namespace

void quantise(const float* from, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [](const float* x, std::int64_t) {
        const auto [least, most] = std::minmax_element(x, x + kWeights);
        const float scale = (*most - *least) / 31.0F;
        return with_levels(x, scale, *least, inverse(scale));
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    if (how.importance == nullptr) return quantise(from, n, to);
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        float w[kWeights];
        weigh(x, how.importance + i, kWeights, w);
        const AffineFit fit = fit_affine(x, w, kWeights, 31, how.sum_levels);
        return with_levels(x, fit.scale, -fit.minimum, inverse(from_f16(to_f16(fit.scale))));
    });
}

}  // namespace heft::quant::q5_1
