#include "tensor/quant/gi8.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::gi8 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const auto scale = load<float>(b.scale);
        const int zero = load<std::int16_t>(b.zero);
        for (int j = 0; j < kWeights; ++j) y[j] = scale * static_cast<float>(b.qs[j] - zero);
    });
}

void pack(const std::uint8_t* codes, [[maybe_unused]] Group group, void* to) {
    Block block{};
    put_field(block.scale, group.scale);
    put_field(block.zero, static_cast<std::int16_t>(group.zero));
    std::memcpy(block.qs, codes, sizeof block.qs);
    std::memcpy(to, &block, sizeof block);
}

}  // namespace heft::quant::gi8
