#include "tensor/quant/gi4.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::gi4 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const auto scale = load<float>(b.scale);
        const int zero = load<std::int16_t>(b.zero);
        for (int j = 0; j < 16; ++j) {
            y[j] = scale * static_cast<float>((b.qs[j] & 15) - zero);
            y[j + 16] = scale * static_cast<float>((b.qs[j] >> 4) - zero);
        }
    });
}

void pack(const std::uint8_t* codes, [[maybe_unused]] Group group, void* to) {
    Block block{};
    put_field(block.scale, group.scale);
    put_field(block.zero, static_cast<std::int16_t>(group.zero));
    put_nibbles(codes, block.qs);
    std::memcpy(to, &block, sizeof block);
}

}  // namespace heft::quant::gi4
