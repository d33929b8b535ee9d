#include "tensor/quant/q5_1.h"

#include "tensor/quant/plain_block.h"

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
    encode(from, {}, n, to);
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    encode_affine<Block, kWeights>(from, how, n, to, 31, with_levels);
}

}  // namespace heft::quant::q5_1
