#include "tensor/quant/iq4_nl.h"

#include "tensor/quant/blocks.h"

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

}  // namespace heft::quant::iq4_nl
