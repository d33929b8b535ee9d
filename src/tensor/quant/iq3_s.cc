#include "tensor/quant/iq3_s.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/book_block.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq3_s {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int l = 0; l < 64; ++l, y += 4) {
            const int s = b.scales[l / 16] >> (l / 8 % 2 * 4) & 15;
            const float scale = d * static_cast<float>(1 + 2 * s);
            const int high = b.qh[l / 8] >> (l % 8) & 1;
            const unsigned signs = static_cast<unsigned>(b.signs[l / 2]) >> (l % 2 * 4);
            grids::put<4, 3>(scale, grids::kIq3S[b.qs[l] | high << 8], grids::kIq3SLevels, signs,
                             y);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    const BookShape shape{&Codebook::iq3_s(), 32, 15, 1, Signs::all, {}, 0.7F, 1.3F};
    make_blocks<Block, kWeights>(from, n, to, [&how, &shape](const float* x, std::int64_t i) {
        const BookBlock found = encode_book(x, importance_at(how.importance, i), shape);
        Block block{};
        put_field(block.d, found.d);
        for (int l = 0; l < 64; ++l) {
            block.qs[l] = static_cast<std::uint8_t>(found.entry[l]);
            std::uint8_t& high = block.qh[l / 8];
            high = static_cast<std::uint8_t>(high | (found.entry[l] >> 8) << (l % 8));
        }
        for (int l = 0; l < 32; ++l) block.signs[l] = found.signs[l];
        for (int g = 0; g < 4; ++g)
            block.scales[g] =
                static_cast<std::uint8_t>(found.scale[2 * g] | found.scale[2 * g + 1] << 4);
        return block;
    });
}

}  // namespace heft::quant::iq3_s
