#include "tensor/quant/mxfp4.h"

#include <bit>

#include "tensor/quant/blocks.h"

namespace heft::quant::mxfp4 {

namespace {

float scale(std::uint8_t e) {  // 2^(e - 128); the two smallest are subnormal floats
    const std::uint32_t bits = e < 2 ? 0x00200000U << e : static_cast<std::uint32_t>(e - 1) << 23;
    return std::bit_cast<float>(bits);
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = scale(b.e);
        for (int j = 0; j < 16; ++j) {
            y[j] = d * static_cast<float>(kLevels[b.qs[j] & 15]);
            y[j + 16] = d * static_cast<float>(kLevels[b.qs[j] >> 4]);
        }
    });
}

}  // namespace heft::quant::mxfp4
