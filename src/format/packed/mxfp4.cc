// MXFP4 of gpt-oss: "X_blocks" U8 [outer …, rows, columns / 32, 16], two codes a byte, the lower
// nibble first; "X_scales" U8 [outer …, rows, columns / 32], E8M0 exponents. GGUF's MXFP4 has the
// same codes and exponents, with weights 16 apart sharing a byte. The tensor keeps the name of its
// blocks: files saved in a plain type have "X" in another layout. Source: OCP microscaling formats;
// the gpt-oss reference code.
#include "tensor/quant/mxfp4.h"

#include <algorithm>
#include <cstring>

#include "format/packed/methods.h"

namespace heft::format::packed {

namespace {

using quant::mxfp4::Block;

constexpr std::string_view kBlocks = "_blocks";
constexpr std::int64_t kBlockBytes = 16;

class Rows final : public Repack {
  public:
    Rows(Bytes blocks, Bytes scales, std::int64_t blocks_per_row)
        : blocks_(blocks), scales_(scales), per_row_(blocks_per_row) {}

    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override {
        const std::int64_t end = (first + count) * per_row_;
        for (std::int64_t b = first * per_row_; b < end; ++b, to += sizeof(Block)) {
            const std::byte* pairs = blocks_.data() + b * kBlockBytes;
            Block block{};
            block.e = load<std::uint8_t>(scales_.data() + b);
            for (std::int64_t j = 0; j < kBlockBytes; ++j) {  // weights j and j + 16
                const unsigned low = code(pairs, j);
                const unsigned high = code(pairs, j + kBlockBytes);
                block.qs[j] = static_cast<std::uint8_t>(low | high << 4);
            }
            std::memcpy(to, &block, sizeof block);
        }
    }

  private:
    static unsigned code(const std::byte* pairs, std::int64_t i) {
        const auto byte = static_cast<unsigned>(pairs[i / 2]);
        return i % 2 == 0 ? byte & 15U : byte >> 4;
    }

    Bytes blocks_;
    Bytes scales_;
    std::int64_t per_row_;
};

}  // namespace

Status build_mxfp4(Parts& parts, const Settings& /*settings*/) {
    for (const TensorView& blocks : parts.all()) {
        if (!blocks.name.ends_with(kBlocks)) continue;
        const std::string name = stem_of(blocks, kBlocks);
        HEFT_TRY(const TensorView* scales, parts.need(blocks, name + "_scales"));
        HEFT_OK(expect_type(blocks, {DType::u8}));
        HEFT_OK(expect_type(*scales, {DType::u8}));
        if (blocks.shape.size() < 3 || blocks.shape.back() != kBlockBytes)
            return wrong(blocks, "has the shape " + shape_text(blocks.shape)
                                     + ", where [..., rows, blocks, 16] is needed");
        const Shape per_block(blocks.shape.begin(), blocks.shape.end() - 1);
        HEFT_OK(expect_shape(*scales, per_block));
        TensorView view;
        view.name = blocks.name;
        view.type = DType::mxfp4;
        view.shape = per_block;
        view.shape.back() *= quant::mxfp4::kWeights;
        view.repack = std::make_shared<Rows>(blocks.data, scales->data, per_block.back());
        HEFT_TRY([[maybe_unused]] const std::uint64_t bytes, tensor_bytes(view.type, view.shape));
        parts.use(*scales);
        parts.replace(blocks, std::move(view));
    }
    return {};
}

}  // namespace heft::format::packed
