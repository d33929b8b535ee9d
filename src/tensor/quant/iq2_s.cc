#include "tensor/quant/iq2_s.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/book_block.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq2_s {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int l = 0; l < 32; ++l, y += 8) {
            const int s = b.scales[l / 4] >> (l / 2 % 2 * 4) & 15;
            const float scale = d * (0.5F + static_cast<float>(s)) * 0.25F;
            const int high = b.qh[l / 4] >> (l % 4 * 2) & 3;
            grids::put_iq2(scale, grids::kIq2S[b.qs[l] | high << 8], b.signs[l], y);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    const BookShape shape{&Codebook::iq2_s(), 16, 15, 8};
    make_blocks<Block, kWeights>(from, n, to, [&how, &shape](const float* x, std::int64_t i) {
        const BookBlock found = encode_book(x, importance_at(how.importance, i), shape);
        Block block{};
        put_field(block.d, found.d);
        for (int l = 0; l < 32; ++l) {
            block.qs[l] = static_cast<std::uint8_t>(found.entry[l]);
            block.signs[l] = found.signs[l];
            std::uint8_t& high = block.qh[l / 4];
            high = static_cast<std::uint8_t>(high | (found.entry[l] >> 8) << (l % 4 * 2));
        }
        for (int g = 0; g < 8; ++g)
            block.scales[g] =
                static_cast<std::uint8_t>(found.scale[2 * g] | found.scale[2 * g + 1] << 4);
        return block;
    });
}

}  // namespace heft::quant::iq2_s
