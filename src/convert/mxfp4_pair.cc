// MXFP4 as safetensors files of gpt-oss have it; the other way round: format/packed/mxfp4.cc.
#include "convert/to_folder.h"
#include "tensor/quant/mxfp4.h"
#include "tensor/quant/quant.h"

namespace heft::convert {

namespace {

using quant::mxfp4::Block;

constexpr std::string_view kBlocks = "_blocks";
constexpr int kPairs = 16;  // bytes of a block's codes

void take_codes(const Block& block, std::byte* to) {
    const auto code = [&block](int i) {
        const unsigned byte = block.qs[i % kPairs];
        return i < kPairs ? byte & 15U : byte >> 4;
    };
    for (int i = 0; i < kPairs; ++i)
        to[i] = static_cast<std::byte>(code(2 * i) | code(2 * i + 1) << 4);
}

// One of the two tensors, row by row; `size`: bytes that it has of a block.
template <class Take>
Status produce(const Weight& weight, std::size_t size, const Advance& progress,
               const format::ByteSink& sink, Take take) {
    const auto n_blocks = static_cast<std::size_t>(weight.n_cols / quant::mxfp4::kWeights);
    std::vector<Block> blocks(n_blocks);
    std::vector<float> values;
    std::vector<std::byte> bytes(n_blocks * size);
    for (std::int64_t r = 0; r < weight.n_rows; ++r) {
        auto* const row = reinterpret_cast<std::byte*>(blocks.data());
        if (weight.copy && weight.stored == DType::mxfp4) {
            weight.copy(r, 1, row);
        } else {
            values.resize(static_cast<std::size_t>(weight.n_cols));
            weight.read(r, 1, values.data());
            codec(DType::mxfp4)->quantise(values.data(), weight.n_cols, row);
        }
        for (std::size_t b = 0; b < n_blocks; ++b) take(blocks[b], bytes.data() + b * size);
        HEFT_OK(sink(bytes));
        if (progress && !progress(static_cast<std::uint64_t>(weight.n_cols / 2)))
            return Error{Code::cancelled, "was stopped"};
    }
    return {};
}

}  // namespace

std::vector<format::TensorSource> mxfp4_pair(const Weight& weight, const Advance& progress) {
    std::string name = weight.name;
    if (name.ends_with(kBlocks)) name.resize(name.size() - kBlocks.size());
    Shape shape = weight.shape;
    shape.back() /= quant::mxfp4::kWeights;
    format::TensorSource scales{name + "_scales", DType::u8, shape, {}};
    scales.produce = [weight, progress](const format::ByteSink& sink) {
        return produce(weight, 1, progress, sink,
                       [](const Block& block, std::byte* to) { *to = std::byte{block.e}; });
    };
    shape.push_back(kPairs);
    format::TensorSource blocks{name + std::string(kBlocks), DType::u8, shape, {}};
    blocks.produce = [weight, progress](const format::ByteSink& sink) {
        return produce(weight, kPairs, progress, sink, take_codes);
    };
    return {std::move(blocks), std::move(scales)};
}

}  // namespace heft::convert
