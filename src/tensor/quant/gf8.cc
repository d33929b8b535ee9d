#include "tensor/quant/gf8.h"

#include "tensor/quant/blocks.h"

namespace heft::quant::gf8 {

void dequantise(const void* from, std::int64_t n, float* to) {
    each_block<Block, kWeights>(from, n, to, [](const Block& b, float* y) {
        const auto scale = load<float>(b.scale);
        for (int j = 0; j < kWeights; ++j) y[j] = scale * from_f8_e4m3(b.qs[j]);
    });
}

void pack(const std::uint8_t* codes, [[maybe_unused]] Group group, void* to) {
    Block block{};
    put_field(block.scale, group.scale);
    std::memcpy(block.qs, codes, sizeof block.qs);
    std::memcpy(to, &block, sizeof block);
}

}  // namespace heft::quant::gf8
