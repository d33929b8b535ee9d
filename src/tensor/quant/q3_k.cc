#include "tensor/quant/q3_k.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::q3_k {

namespace {

// Four low bits of scale g lie in bytes 0 to 7 (nibbles), two high bits in bytes 8 to 11.
int scale(const std::uint8_t* s, int g) {
    const int low = g < 8 ? s[g] & 15 : s[g - 8] >> 4;
    const int high = s[8 + g % 4] >> (g / 4 * 2) & 3;
    return (low | high << 4) - 32;
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

}  // namespace heft::quant::q3_k
