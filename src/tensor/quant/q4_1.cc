#include "tensor/quant/q4_1.h"

#include "tensor/quant/plain_block.h"

namespace heft::quant::q4_1 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const float m = half_at(b.m);
        for (int j = 0; j < 16; ++j) {
            y[j] = d * static_cast<float>(b.qs[j] & 15) + m;
            y[j + 16] = d * static_cast<float>(b.qs[j] >> 4) + m;
        }
    });
}

namespace {

Block with_levels(const float* x, float scale, float minimum, float inv) {
    Block block{};
    put_half(block.d, scale);
    put_half(block.m, minimum);
    const auto level = [=](float value) {
        return floor_within((value - minimum) * inv + 0.5F, 15);
    };
    for (int j = 0; j < 16; ++j)
        block.qs[j] = static_cast<std::uint8_t>(level(x[j]) | level(x[j + 16]) << 4);
    return block;
}

}  // namespace

void quantise(const float* from, std::int64_t n, void* to) {
    encode(from, {}, n, to);
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    encode_affine<Block, kWeights>(from, how, n, to, 15, with_levels);
}

}  // namespace heft::quant::q4_1
