#include "tensor/quant/iq1_m.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/book_block.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq1_m {

namespace {

float scale_of(const Block& b) {
    unsigned bits = 0;
    for (int i = 0; i < 4; ++i) bits |= (load<std::uint16_t>(b.scales[i]) >> 12 & 15U) << (4 * i);
    return from_f16(static_cast<std::uint16_t>(bits));
}

}  // namespace

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = scale_of(b);
        for (int l = 0; l < 32; ++l, y += 8) {
            const unsigned scales = load<std::uint16_t>(b.scales[l / 8]);
            const unsigned s = scales >> (l / 2 % 4 * 3) & 7U;
            const unsigned qh = static_cast<unsigned>(b.qh[l / 2]) >> (l % 2 * 4);
            const float delta = (qh & 8U) != 0 ? -grids::kIq1Delta : grids::kIq1Delta;
            grids::put_iq1(d * static_cast<float>(2 * s + 1), delta,
                           grids::kIq1[b.qs[l] | (qh & 7U) << 8], y);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    const BookShape shape{&Codebook::iq1(),      16,   7,   1, Signs::in_levels,
                          {grids::kIq1Delta, 8}, 1.0F, 3.0F};
    make_blocks<Block, kWeights>(from, n, to, [&how, &shape](const float* x, std::int64_t i) {
        const BookBlock found = encode_book(x, importance_at(how.importance, i), shape);
        Block block{};
        for (int l = 0; l < 32; ++l) {
            const unsigned entry = found.entry[l];
            block.qs[l] = static_cast<std::uint8_t>(entry);
            const unsigned nibble = entry >> 8 | (found.minus_offset[l] ? 8U : 0U);
            std::uint8_t& high = block.qh[l / 2];
            high = static_cast<std::uint8_t>(high | nibble << (l % 2 * 4));
        }
        for (int q = 0; q < 4; ++q) {
            unsigned scales = (found.d >> (4 * q) & 15U) << 12;
            for (int g = 0; g < 4; ++g)
                scales |= static_cast<unsigned>(found.scale[4 * q + g]) << (3 * g);
            put_field(block.scales[q], static_cast<std::uint16_t>(scales));
        }
        return block;
    });
}

}  // namespace heft::quant::iq1_m
