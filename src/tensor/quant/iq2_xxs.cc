#include "tensor/quant/iq2_xxs.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/book_block.h"
#include "tensor/quant/grids.h"

namespace heft::quant::iq2_xxs {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const float d = half_at(b.d);
        for (const std::uint8_t* group : b.groups) {
            const auto packed = load<std::uint32_t>(group + 4);
            const float scale = d * (0.5F + static_cast<float>(packed >> 28)) * 0.25F;
            for (int l = 0; l < 4; ++l, y += 8)
                grids::put_iq2(scale, grids::kIq2Xxs[group[l]],
                               grids::even_signs(packed >> (7 * l) & 127U), y);
        }
    });
}

void encode(const float* from, const Encoding& how, std::int64_t n, void* to) {
    const BookShape shape{&Codebook::iq2_xxs(), 32, 15, 8, Signs::even};
    make_blocks<Block, kWeights>(from, n, to, [&how, &shape](const float* x, std::int64_t i) {
        const BookBlock found = encode_book(x, importance_at(how.importance, i), shape);
        Block block{};
        put_field(block.d, found.d);
        for (int g = 0; g < 8; ++g) {
            auto packed = static_cast<std::uint32_t>(found.scale[g]) << 28;
            for (int l = 0; l < 4; ++l) {
                block.groups[g][l] = static_cast<std::uint8_t>(found.entry[4 * g + l]);
                packed |= static_cast<std::uint32_t>(found.signs[4 * g + l] & 127) << (7 * l);
            }
            std::memcpy(block.groups[g] + 4, &packed, sizeof packed);
        }
        return block;
    });
}

}  // namespace heft::quant::iq2_xxs
