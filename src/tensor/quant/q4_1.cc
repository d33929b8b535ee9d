#include "tensor/quant/q4_1.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::q4_1 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const float m = half_at(b.m);
        for (int j = 0; j < 16; ++j) {
            y[j] = d * static_cast<float>(b.qs[j] & 15) + m;
            y[j + 16] = d * static_cast<float>(b.qs[j] >> 4) + m;
        }
    });
}

}  // namespace heft::quant::q4_1
