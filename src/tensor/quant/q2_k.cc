#include "tensor/quant/q2_k.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/k_block.h"

namespace heft::quant::q2_k {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const float dmin = half_at(b.dmin);
        for (int g = 0; g < 16; ++g) {  // 32 bytes hold 128 weights, two bits of each at a time
            const std::uint8_t* q = b.qs + g / 8 * 32 + g % 2 * 16;
            const int shift = g % 8 / 2 * 2;
            const float scale = d * static_cast<float>(b.scales[g] & 15);
            const float minimum = dmin * static_cast<float>(b.scales[g] >> 4);
            for (int l = 0; l < 16; ++l)
                *y++ = scale * static_cast<float>(q[l] >> shift & 3) - minimum;
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        const AffineBlock found =
            encode_affine(x, importance_at(how.importance, i), {16, 3, 15}, how.sum_levels);
        Block block{};
        put_field(block.d, found.d);
        put_field(block.dmin, found.dmin);
        for (int g = 0; g < 16; ++g) {
            block.scales[g] = static_cast<std::uint8_t>(found.scale[g] | found.minimum[g] << 4);
            for (int l = 0; l < 16; ++l) {
                std::uint8_t& q = block.qs[g / 8 * 32 + g % 2 * 16 + l];
                q = static_cast<std::uint8_t>(q | found.level[16 * g + l] << (g % 8 / 2 * 2));
            }
        }
        return block;
    });
}

}  // namespace heft::quant::q2_k
