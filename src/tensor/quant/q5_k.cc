#include "tensor/quant/q5_k.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::q5_k {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const float dmin = half_at(b.dmin);
        for (int g = 0; g < 8; ++g) {
            const std::uint8_t* q = b.qs + g / 2 * 32;
            const auto [sc, m] = scale_min(b.scales, g);
            const float scale = d * static_cast<float>(sc);
            const float minimum = dmin * static_cast<float>(m);
            for (int l = 0; l < 32; ++l) {
                const int level = (q[l] >> (g % 2 * 4) & 15) | (b.qh[l] >> g & 1) << 4;
                *y++ = scale * static_cast<float>(level) - minimum;
            }
        }
    });
}

}  // namespace heft::quant::q5_k
