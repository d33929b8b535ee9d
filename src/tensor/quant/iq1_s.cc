#include "tensor/quant/iq1_s.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/book_block.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq1_s {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int l = 0; l < 32; ++l, y += 8) {
            const unsigned qh = load<std::uint16_t>(b.qh[l / 4]);
            const float scale = d * static_cast<float>(2 * (qh >> 12 & 7U) + 1);
            const float delta = (qh & 0x8000U) != 0 ? -grids::kIq1Delta : grids::kIq1Delta;
            const unsigned high = qh >> (l % 4 * 3) & 7U;
            grids::put_iq1(scale, delta, grids::kIq1[b.qs[l] | high << 8], y);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    const BookShape shape{&Codebook::iq1(),       32,   7,   1, Signs::in_levels,
                          {grids::kIq1Delta, 32}, 1.0F, 3.0F};
    make_blocks<Block, kWeights>(from, n, to, [&how, &shape](const float* x, std::int64_t i) {
        const BookBlock found = encode_book(x, importance_at(how.importance, i), shape);
        Block block{};
        put_field(block.d, found.d);
        for (int g = 0; g < 8; ++g) {
            unsigned high = static_cast<unsigned>(found.scale[g]) << 12;
            if (found.minus_offset[4 * g]) high |= 0x8000U;
            for (int l = 0; l < 4; ++l) {
                const unsigned entry = found.entry[4 * g + l];
                block.qs[4 * g + l] = static_cast<std::uint8_t>(entry);
                high |= (entry >> 8) << (3 * l);
            }
            put_field(block.qh[g], static_cast<std::uint16_t>(high));
        }
        return block;
    });
}

}  // namespace heft::quant::iq1_s
