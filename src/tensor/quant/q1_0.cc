#include "tensor/quant/q1_0.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::q1_0 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int i = 0; i < kWeights; ++i) y[i] = (b.qs[i / 8] >> (i % 8) & 1) != 0 ? d : -d;
    });
}

}  // namespace heft::quant::q1_0
