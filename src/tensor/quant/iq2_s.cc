#include "tensor/quant/iq2_s.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq2_s {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int l = 0; l < 32; ++l, y += 8) {
            const int s = b.scales[l / 4] >> (l / 2 % 2 * 4) & 15;
            const float scale = d * (0.5F + static_cast<float>(s)) * 0.25F;
            const int high = b.qh[l / 4] >> (l % 4 * 2) & 3;
            grids::put_iq2(scale, grids::kIq2S[b.qs[l] | high << 8], b.signs[l], y);
        }
    });
}

}  // namespace heft::quant::iq2_s
