#include "tensor/quant/iq1_m.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq1_m {

namespace {

float scale_of(const Block& b) {
    unsigned bits = 0;
    for (int i = 0; i < 4; ++i) bits |= (load<std::uint16_t>(b.scales[i]) >> 12 & 15U) << (4 * i);
    return from_f16(static_cast<std::uint16_t>(bits));
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = scale_of(b);
        for (int l = 0; l < 32; ++l, y += 8) {
            const unsigned scales = load<std::uint16_t>(b.scales[l / 8]);
            const unsigned s = scales >> (l / 2 % 4 * 3) & 7U;
            const unsigned qh = static_cast<unsigned>(b.qh[l / 2]) >> (l % 2 * 4);
            const float delta = (qh & 8U) != 0 ? -grids::kIq1Delta : grids::kIq1Delta;
            grids::put_iq1(d * static_cast<float>(2 * s + 1), delta,
                           grids::kIq1[b.qs[l] | (qh & 7U) << 8], y);
        }
    });
}

}  // namespace heft::quant::iq1_m
