// NVFP4 as GGUF stores it: 64 floats of 4 bits (e2m1) and four scales, one for 16 weights, as
// unsigned e4m3. As with MXFP4 the levels are stored doubled and the scale halved: w = scale / 2 *
// level. In each 16, byte j holds weight j in its low nibble and weight j + 8 in its high one. The
// scale 0x7f counts as zero. The scale of the whole tensor stands in a tensor of its own.
#pragma once

#include <cstdint>

namespace heft::quant::nvfp4 {

inline constexpr int kWeights = 64;

struct Block {
    std::uint8_t scales[4];
    std::uint8_t qs[4][8];
};
static_assert(sizeof(Block) == 36);

void dequantise(const void* from, std::int64_t n, float* to);

}  // namespace heft::quant::nvfp4
