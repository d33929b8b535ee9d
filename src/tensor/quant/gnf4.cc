#include "tensor/quant/gnf4.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::gnf4 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const auto scale = load<float>(b.scale);
        for (int j = 0; j < 16; ++j) {
            y[j] = scale * kLevels[b.qs[j] & 15];
            y[j + 16] = scale * kLevels[b.qs[j] >> 4];
        }
    });
}

void pack(const std::uint8_t* codes, [[maybe_unused]] Group group, void* to) {
    Block block{};
    put_field(block.scale, group.scale);
    put_nibbles(codes, block.qs);
    std::memcpy(to, &block, sizeof block);
}

}  // namespace heft::quant::gnf4
