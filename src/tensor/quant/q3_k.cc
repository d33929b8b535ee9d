#include "tensor/quant/q3_k.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/k_block.h"

namespace heft::quant::q3_k {

namespace {

// Four low bits of scale g lie in bytes 0 to 7 (nibbles), two high bits in bytes 8 to 11.
int scale(const std::uint8_t* s, int g) {
    const int low = g < 8 ? s[g] & 15 : s[g - 8] >> 4;
    const int high = s[8 + g % 4] >> (g / 4 * 2) & 3;
    return (low | high << 4) - 32;
}

void put_scale(std::uint8_t* s, int g, int scale) {
    const int stored = scale + 32;
    std::uint8_t& low = s[g % 8];
    low = static_cast<std::uint8_t>(low | (stored & 15) << (g / 8 * 4));
    std::uint8_t& high = s[8 + g % 4];
    high = static_cast<std::uint8_t>(high | (stored >> 4) << (g / 4 * 2));
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int g = 0; g < 16; ++g) {
            const std::uint8_t* q = b.qs + g / 8 * 32 + g % 2 * 16;
            const std::uint8_t* high = b.hmask + g % 2 * 16;
            const int shift = g % 8 / 2 * 2;
            const float group = d * static_cast<float>(scale(b.scales, g));
            for (int l = 0; l < 16; ++l) {
                const int bit = high[l] >> (g / 2) & 1;
                *y++ = group * static_cast<float>((q[l] >> shift & 3) - (bit != 0 ? 0 : 4));
            }
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        const SymmetricBlock found =
            encode_symmetric(x, importance_at(how.importance, i), {16, -4, -32}, how.sum_levels);
        Block block{};
        put_field(block.d, found.d);
        for (int g = 0; g < 16; ++g) {
            put_scale(block.scales, g, found.scale[g]);
            for (int l = 0; l < 16; ++l) {
                const int level = found.level[16 * g + l] + 4;
                std::uint8_t& q = block.qs[g / 8 * 32 + g % 2 * 16 + l];
                q = static_cast<std::uint8_t>(q | (level & 3) << (g % 8 / 2 * 2));
                std::uint8_t& high = block.hmask[g % 2 * 16 + l];
                high = static_cast<std::uint8_t>(high | (level >> 2) << (g / 2));
            }
        }
        return block;
    });
}

}  // namespace heft::quant::q3_k
