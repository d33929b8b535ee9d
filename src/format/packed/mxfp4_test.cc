#include "format/packed/test_folder.h"

namespace heft::format::packed {
namespace {

using test::Folder;

// e2m1: a sign, two bits of exponent with bias 1, one of fraction. Zero has no sign, as in GGUF.
float e2m1(int code) {
    const int exponent = code >> 1 & 3;
    const float fraction = static_cast<float>(code & 1) / 2;
    const float magnitude = exponent == 0 ? fraction : std::ldexp(1 + fraction, exponent - 1);
    return code > 8 ? -magnitude : magnitude;
}

TEST(Mxfp4, BlocksAndScalesBecomeATensor) {
    Rng rng(38);
    for (const Shape& outer : {Shape{2, 5, 3}, Shape{4, 1}, Shape{1, 2, 3, 2}}) {
        std::size_t blocks = 1;
        for (const std::int64_t extent : outer) blocks *= static_cast<std::size_t>(extent);
        std::vector<std::uint8_t> pairs(blocks * 16);
        std::vector<std::uint8_t> scales(blocks);
        for (auto& byte : pairs) byte = static_cast<std::uint8_t>(rng.next());
        for (auto& byte : scales) byte = static_cast<std::uint8_t>(rng.next() % 250 + 3);
        std::vector<float> want;
        for (std::size_t i = 0; i < blocks * 32; ++i) {
            const int code = i % 2 == 0 ? pairs[i / 2] & 15 : pairs[i / 2] >> 4;
            want.push_back(std::ldexp(e2m1(code), scales[i / 32] - 127));
        }
        for (const char* config : {"", R"({"quant_method":"mxfp4"})"}) {
            Folder folder{std::string(config)};
            Shape stored = outer;
            stored.push_back(16);
            folder.add("mlp.experts.down_proj_blocks", DType::u8, stored, pairs);
            folder.add("mlp.experts.down_proj_scales", DType::u8, outer, scales);
            Shape shape = outer;
            shape.back() *= 32;
            test::expect_weights(folder,
                                 {"mlp.experts.down_proj_blocks", DType::mxfp4, shape, want});
        }
    }
}

TEST(Mxfp4, WhatDoesNotFitIsNamed) {
    const std::vector<std::uint8_t> bytes(64);
    Folder lonely(R"({"quant_method":"mxfp4"})");
    lonely.add("x_blocks", DType::u8, {2, 2, 16}, bytes);
    lonely.expect_error(Code::corrupt, "'x_blocks' needs 'x_scales'");
    Folder flat(R"({"quant_method":"mxfp4"})");
    flat.add("x_blocks", DType::u8, {4, 16}, bytes);
    flat.add("x_scales", DType::u8, {4}, std::vector<std::uint8_t>(4));
    flat.expect_error(Code::corrupt, "'x_blocks' has the shape [4, 16]");
    Folder other(R"({"quant_method":"mxfp4"})");
    other.add("x_blocks", DType::u8, {2, 2, 16}, bytes);
    other.add("x_scales", DType::u8, {2, 3}, std::vector<std::uint8_t>(6));
    other.expect_error(Code::corrupt, "'x_scales' has the shape [2, 3], where [2, 2]");
}

}  // namespace
}  // namespace heft::format::packed
