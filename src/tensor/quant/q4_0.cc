#include "tensor/quant/q4_0.h"

#include "tensor/quant/plain_block.h"

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
    encode(from, {}, n, to);
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    encode_symmetric<Block, kWeights>(from, how, n, to, -8, with_levels);
}

}  // namespace heft::quant::q4_0
