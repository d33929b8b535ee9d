#include "tensor/quant/mxfp4.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "tensor/quant/blocks.h"

namespace heft::quant::mxfp4 {

namespace {

float scale(std::uint8_t e) {  // 2^(e - 128); the two smallest are subnormal floats
    const std::uint32_t bits = e < 2 ? 0x00200000U << e : static_cast<std::uint32_t>(e - 1) << 23;
    return std::bit_cast<float>(bits);
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = scale(b.e);
        for (int j = 0; j < 16; ++j) {
            y[j] = d * static_cast<float>(kLevels[b.qs[j] & 15]);
            y[j + 16] = d * static_cast<float>(kLevels[b.qs[j] >> 4]);
        }
    });
}

namespace {

// The exponent at which the greatest weight lies between the levels 4 and 8, of which 6 is the
// greatest (OCP microscaling, section 6.3).
std::uint8_t exponent_for(float peak) {
    if (!(peak > 0)) return 0;
    return static_cast<std::uint8_t>(
        std::clamp(std::floor(std::log2(peak)) - 2 + 127, 0.0F, 254.0F));
}

// The nearest level, the one of the lower index where two are as near.
int nearest_level(float value, float d) {
    int best = 0;
    float least = std::fabs(d * static_cast<float>(kLevels[0]) - value);
    for (int i = 1; i < 16; ++i) {
        const float off = std::fabs(d * static_cast<float>(kLevels[i]) - value);
        if (!(off < least)) continue;
        least = off;
        best = i;
    }
    return best;
}

}  // namespace

void quantise(const float* from, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [](const float* x, std::int64_t) {
        Block block{};
        block.e = exponent_for(greatest(x, kWeights));
        const float d = scale(block.e);
        for (int j = 0; j < 16; ++j)
            block.qs[j] = static_cast<std::uint8_t>(nearest_level(x[j], d)
                                                    | nearest_level(x[j + 16], d) << 4);
        return block;
    });
}

}  // namespace heft::quant::mxfp4
