#include "tensor/quant/iq4_xs.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/iq4_nl.h"

namespace heft::quant::iq4_xs {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const auto high = load<std::uint16_t>(b.scales_h);
        for (int g = 0; g < 8; ++g, y += 32) {
            const int sc = (b.scales_l[g / 2] >> (g % 2 * 4) & 15) | (high >> (2 * g) & 3) << 4;
            const float scale = d * static_cast<float>(sc - 32);
            const std::uint8_t* q = b.qs + 16 * g;
            for (int j = 0; j < 16; ++j) {
                y[j] = scale * static_cast<float>(iq4_nl::kLevels[q[j] & 15]);
                y[j + 16] = scale * static_cast<float>(iq4_nl::kLevels[q[j] >> 4]);
            }
        }
    });
}

}  // namespace heft::quant::iq4_xs
