#include "tensor/quant/q5_k.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/k_block.h"

namespace heft::quant::q5_k {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        const float dmin = half_at(b.dmin);
        for (int g = 0; g < 8; ++g) {
            const std::uint8_t* q = b.qs + g / 2 * 32;
            const auto [sc, m] = scale_min(b.scales, g);
            const float scale = d * static_cast<float>(sc);
            const float minimum = dmin * static_cast<float>(m);
            for (int l = 0; l < 32; ++l) {
                const int level = (q[l] >> (g % 2 * 4) & 15) | (b.qh[l] >> g & 1) << 4;
                *y++ = scale * static_cast<float>(level) - minimum;
            }
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    make_blocks<Block, kWeights>(from, n, to, [&how](const float* x, std::int64_t i) {
        const AffineBlock found =
            encode_affine(x, importance_at(how.importance, i), {32, 31, 63}, how.sum_levels);
        Block block{};
        put_field(block.d, found.d);
        put_field(block.dmin, found.dmin);
        for (int g = 0; g < 8; ++g) {
            put_scale_min(block.scales, g, {found.scale[g], found.minimum[g]});
            for (int l = 0; l < 32; ++l) {
                const int level = found.level[32 * g + l];
                std::uint8_t& low = block.qs[g / 2 * 32 + l];
                low = static_cast<std::uint8_t>(low | (level & 15) << (g % 2 * 4));
                block.qh[l] = static_cast<std::uint8_t>(block.qh[l] | (level >> 4) << g);
            }
        }
        return block;
    });
}

}  // namespace heft::quant::q5_k
