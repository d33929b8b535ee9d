#include "tensor/quant/tq2_0.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::tq2_0 {

namespace {

int byte_of(int i) {
    return i / 128 * 32 + i % 32;
}
int shift_of(int i) {
    return i / 32 % 4 * 2;
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int i = 0; i < kWeights; ++i) {
            const int q = b.qs[byte_of(i)] >> shift_of(i) & 3;
            y[i] = d * static_cast<float>(q - 1);
        }
    });
}

void quantise(const float* from, std::int64_t n, void* to) {
    auto* out = static_cast<std::byte*>(to);
    for (std::int64_t i = 0; i < n; i += kWeights, out += sizeof(Block)) {
        const float* x = from + i;
        Block block{};
        const float scale = greatest(x, kWeights);
        put_half(block.d, scale);
        const float inv = inverse(scale);
        for (int j = 0; j < kWeights; ++j) {
            const int q = nearest(x[j] * inv, -1, 1) + 1;
            block.qs[byte_of(j)] =
                static_cast<std::uint8_t>(block.qs[byte_of(j)] | q << shift_of(j));
        }
        std::memcpy(out, &block, sizeof block);
    }
}

}  // namespace heft::quant::tq2_0
