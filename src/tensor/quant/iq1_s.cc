#include "tensor/quant/iq1_s.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq1_s {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int l = 0; l < 32; ++l, y += 8) {
            const unsigned qh = load<std::uint16_t>(b.qh[l / 4]);
            const float scale = d * static_cast<float>(2 * (qh >> 12 & 7U) + 1);
            const float delta = (qh & 0x8000U) != 0 ? -grids::kIq1Delta : grids::kIq1Delta;
            const unsigned high = qh >> (l % 4 * 3) & 7U;
            grids::put_iq1(scale, delta, grids::kIq1[b.qs[l] | high << 8], y);
        }
    });
}

}  // namespace heft::quant::iq1_s
