#include "tensor/quant/q6_k.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/k_block.h"

namespace heft::quant::q6_k {

namespace {

// Where weight i lies: a byte and a shift for its four low bits, the same for its two high bits.
struct Place {
    int low;
    int low_shift;
    int high;
    int high_shift;
};

Place place(int i) {
    const int half = i / 128;
    const int within = i % 128;
    return {64 * half + within % 64, within / 64 * 4, 32 * half + within % 32, within / 32 * 2};
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int i = 0; i < kWeights; ++i) {
            const Place at = place(i);
            const int q =
                (b.ql[at.low] >> at.low_shift & 15) | (b.qh[at.high] >> at.high_shift & 3) << 4;
            const float scale = d * static_cast<float>(static_cast<std::int8_t>(b.scales[i / 16]));
            y[i] = scale * static_cast<float>(q - 32);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        const SymmetricBlock found =
            encode_symmetric(x, importance_at(how.importance, i), {16, -32, -128}, how.sum_levels);
        Block block{};
        put_field(block.d, found.d);
        for (int g = 0; g < 16; ++g) block.scales[g] = static_cast<std::uint8_t>(found.scale[g]);
        for (int k = 0; k < kWeights; ++k) {
            const Place at = place(k);
            const int q = found.level[k] + 32;
            std::uint8_t& low = block.ql[at.low];
            std::uint8_t& high = block.qh[at.high];
            low = static_cast<std::uint8_t>(low | (q & 15) << at.low_shift);
            high = static_cast<std::uint8_t>(high | (q >> 4) << at.high_shift);
        }
        return block;
    });
}

}  // namespace heft::quant::q6_k
