#include "tensor/quant/iq4_nl.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"
#include "tensor/quant/iq4_fit.h"

namespace heft::quant::iq4_nl {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int j = 0; j < 16; ++j) {
            y[j] = d * static_cast<float>(kLevels[b.qs[j] & 15]);
            y[j + 16] = d * static_cast<float>(kLevels[b.qs[j] >> 4]);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        float w[kWeights];
        weigh(x, importance_at(how.importance, i), kWeights, w);
        Block block{};
        put_half(block.d, fit_iq4(x, w, kWeights));
        const float inv = inverse(half_at(block.d));
        for (int j = 0; j < 16; ++j)
            block.qs[j] =
                static_cast<std::uint8_t>(iq4_level(x[j] * inv) | iq4_level(x[j + 16] * inv) << 4);
        return block;
    });
}

}  // namespace heft::quant::iq4_nl
