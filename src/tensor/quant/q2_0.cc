#include "tensor/quant/q2_0.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::q2_0 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int i = 0; i < kWeights; ++i)
            y[i] = d * static_cast<float>((b.qs[i / 4] >> (i % 4 * 2) & 3) - 1);
    });
}

}  // namespace heft::quant::q2_0
