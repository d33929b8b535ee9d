#include "tensor/quant/tq1_0.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::tq1_0 {

namespace {

// `bytes` bytes from `at` of qs or qh, with so many trits each.
struct Run {
    bool high;
    int at;
    int bytes;
    int trits;
};
constexpr Run kRuns[] = {{false, 0, 32, 5}, {false, 32, 16, 5}, {true, 0, 4, 4}};

constexpr int kPowers[] = {1, 3, 9, 27, 81};

int trit(int byte, int t) {
    const int fraction = byte * kPowers[t] & 255;
    return fraction * 3 >> 8;
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (const Run& run : kRuns) {
            const std::uint8_t* bytes = (run.high ? b.qh : b.qs) + run.at;
            for (int t = 0; t < run.trits; ++t)
                for (int m = 0; m < run.bytes; ++m)
                    *y++ = d * static_cast<float>(trit(bytes[m], t) - 1);
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
        for (const Run& run : kRuns) {
            std::uint8_t* bytes = (run.high ? block.qh : block.qs) + run.at;
            for (int m = 0; m < run.bytes; ++m) {
                int value = 0;
                for (int t = 0; t < run.trits; ++t)
                    value += (nearest(x[t * run.bytes + m] * inv, -1, 1) + 1) * kPowers[4 - t];
                bytes[m] = static_cast<std::uint8_t>((value * 256 + 242) / 243);
            }
            x += run.bytes * run.trits;
        }
        std::memcpy(out, &block, sizeof block);
    }
}

}  // namespace heft::quant::tq1_0
