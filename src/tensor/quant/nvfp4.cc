#include "tensor/quant/nvfp4.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/mxfp4.h"

namespace heft::quant::nvfp4 {

namespace {

// Half of the unsigned e4m3 number. Its top bit means nothing, and 0xff is not a NaN but 480.
float scale(std::uint8_t bits) {
    if (bits == 0x7f) return 0.0F;
    if (bits == 0xff) return 240.0F;
    return from_f8_e4m3(bits & 0x7fU) * 0.5F;
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        for (int g = 0; g < 4; ++g, y += 16) {
            const float d = scale(b.scales[g]);
            for (int j = 0; j < 8; ++j) {
                y[j] = d * static_cast<float>(mxfp4::kLevels[b.qs[g][j] & 15]);
                y[j + 8] = d * static_cast<float>(mxfp4::kLevels[b.qs[g][j] >> 4]);
            }
        }
    });
}

}  // namespace heft::quant::nvfp4
