#include "tensor/quant/iq2_xxs.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq2_xxs {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (const std::uint8_t* group : b.groups) {
            const auto packed = load<std::uint32_t>(group + 4);
            const float scale = d * (0.5F + static_cast<float>(packed >> 28)) * 0.25F;
            for (int l = 0; l < 4; ++l, y += 8)
                grids::put_iq2(scale, grids::kIq2Xxs[group[l]],
                               grids::even_signs(packed >> (7 * l) & 127U), y);
        }
    });
}

}  // namespace heft::quant::iq2_xxs
