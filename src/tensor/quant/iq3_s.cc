#include "tensor/quant/iq3_s.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq3_s {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int l = 0; l < 64; ++l, y += 4) {
            const int s = b.scales[l / 16] >> (l / 8 % 2 * 4) & 15;
            const float scale = d * static_cast<float>(1 + 2 * s);
            const int high = b.qh[l / 8] >> (l % 8) & 1;
            const unsigned signs = static_cast<unsigned>(b.signs[l / 2]) >> (l % 2 * 4);
            grids::put<4, 3>(scale, grids::kIq3S[b.qs[l] | high << 8], grids::kIq3SLevels, signs,
                             y);
        }
    });
}

}  // namespace heft::quant::iq3_s
