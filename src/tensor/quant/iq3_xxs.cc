#include "tensor/quant/iq3_xxs.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/book_block.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq3_xxs {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (int l = 0; l < 32; ++l, y += 8) {
            const auto packed = load<std::uint32_t>(b.scales_signs[l / 4]);
            const float scale = d * (0.5F + static_cast<float>(packed >> 28)) * 0.5F;
            const unsigned signs = grids::even_signs(packed >> (7 * (l % 4)) & 127U);
            const auto four = [&](int q, unsigned s, float* at) {
                grids::put<4, 3>(scale, grids::kIq3Xxs[q], grids::kIq3XxsLevels, s, at);
            };
            four(b.qs[2 * l], signs, y);
            four(b.qs[2 * l + 1], signs >> 4, y + 4);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    const BookShape shape{&Codebook::iq3_xxs(), 32, 15, 4, Signs::even, {}, 0.7F, 1.3F};
    make_blocks<Block, kWeights>(from, n, to, [&how, &shape](const float* x, std::int64_t i) {
        const BookBlock found = encode_book(x, importance_at(how.importance, i), shape);
        Block block{};
        put_field(block.d, found.d);
        for (int l = 0; l < 64; ++l) block.qs[l] = static_cast<std::uint8_t>(found.entry[l]);
        for (int g = 0; g < 8; ++g) {
            auto packed = static_cast<std::uint32_t>(found.scale[g]) << 28;
            for (int l = 0; l < 4; ++l)
                packed |= static_cast<std::uint32_t>(found.signs[4 * g + l] & 127) << (7 * l);
            put_field(block.scales_signs[g], packed);
        }
        return block;
    });
}

}  // namespace heft::quant::iq3_xxs
