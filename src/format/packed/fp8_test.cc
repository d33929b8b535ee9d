#include "format/packed/test_folder.h"

namespace heft::format::packed {
namespace {

using test::Expected;
using test::Folder;
using test::Scales;

// E4M3 from its definition: sign, 4 bits of exponent with bias 7, 3 of fraction; no infinities.
float e4m3(int code) {
    if ((code & 127) == 127) return NAN;
    const int exponent = code >> 3 & 15;
    const double fraction = (code & 7) / 8.0;
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -6) : std::ldexp(1 + fraction, exponent - 7);
    return static_cast<float>(code >= 128 ? -magnitude : magnitude);
}

struct Case {
    Shape shape;
    Shape scales;
    std::int64_t block_rows, block_cols;  // of one scale
    const char* suffix;
    const char* config;
    DType scale_type;
    DType type;
};

constexpr const char* kDefault = R"({"quant_method":"fp8"})";
constexpr const char* kSmall = R"({"quant_method":"fp8","weight_block_size":[16,64]})";
constexpr const char* kOdd = R"({"quant_method":"fp8","weight_block_size":[48,40]})";
constexpr const char* kRows = R"({"quant_method":"fbgemm_fp8"})";
constexpr const char* kInverse = ".weight_scale_inv";
constexpr const char* kScale = ".weight_scale";

const Case kCases[] = {
    {{256, 256}, {2, 2}, 128, 128, kInverse, kDefault, DType::f32, DType::gf8},
    {{200, 160}, {2, 2}, 128, 128, kInverse, kDefault, DType::bf16, DType::gf8},
    {{200, 160}, {2, 2}, 128, 128, kInverse, "", DType::f32, DType::gf8},
    {{7, 96}, {1, 1}, 128, 128, kInverse, kDefault, DType::f32, DType::gf8},
    {{130, 72}, {2, 1}, 128, 128, kInverse, kDefault, DType::f32, DType::f32},
    {{40, 160}, {3, 3}, 16, 64, kInverse, kSmall, DType::f32, DType::gf8},
    {{100, 96}, {3, 3}, 48, 40, kInverse, kOdd, DType::f32, DType::f32},
    {{3, 40, 160}, {3, 3, 3}, 16, 64, kInverse, kSmall, DType::f32, DType::gf8},
    {{40, 64}, {}, 40, 64, kScale, kDefault, DType::f32, DType::gf8},
    {{40, 640}, {}, 40, 640, kInverse, kDefault, DType::f32, DType::gf8},
    {{40, 64}, {1}, 40, 64, kScale, kDefault, DType::bf16, DType::gf8},
    {{40, 64}, {40}, 1, 64, kScale, kDefault, DType::f32, DType::gf8},
    {{40, 64}, {40, 1}, 1, 64, kScale, kRows, DType::f16, DType::gf8},
    {{40, 33}, {40, 1}, 1, 33, kScale, kRows, DType::f32, DType::f32},
};

std::size_t product(const Shape& shape) {
    std::size_t out = 1;
    for (const std::int64_t extent : shape) out *= static_cast<std::size_t>(extent);
    return out;
}

std::vector<std::uint8_t> random_bytes(std::size_t count, Rng& rng) {
    std::vector<std::uint8_t> out(count);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(rng.next());
    return out;
}

TEST(Fp8, EveryTilingReadsBackToTheBit) {
    Rng rng(30);
    for (const Case& c : kCases) {
        const auto bytes = random_bytes(product(c.shape), rng);
        const Scales scales(c.scale_type, product(c.scales), rng);
        Expected want{"m.weight", c.type, c.shape, {}};
        const std::int64_t rows = c.shape[c.shape.size() - 2];
        const std::int64_t cols = c.shape.back();
        const std::int64_t across = (cols + c.block_cols - 1) / c.block_cols;
        const std::int64_t down = (rows + c.block_rows - 1) / c.block_rows;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const auto at = static_cast<std::int64_t>(i);
            const std::int64_t matrix = at / (rows * cols);
            const std::int64_t r = at / cols % rows;
            const std::int64_t place =
                (matrix * down + r / c.block_rows) * across + at % cols / c.block_cols;
            want.weights.push_back(scales.values[static_cast<std::size_t>(place)] * e4m3(bytes[i]));
        }
        Folder folder{std::string(c.config)};
        folder.add("m.weight", DType::f8_e4m3, c.shape, bytes);
        scales.add_to(folder, std::string("m") + c.suffix, c.scales);
        folder.add("m.input_scale", DType::f32, {}, std::vector<float>{1});
        test::expect_weights(folder, want);
    }
}

TEST(Fp8, WeightsWithoutScalesAreLeftAlone) {
    Folder folder(kDefault);
    folder.add("m.weight", DType::f8_e4m3, {2, 2}, std::vector<std::uint8_t>{1, 2, 3, 4});
    const auto opened = folder.open();
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(opened->find("m.weight")->type, DType::f8_e4m3);
    EXPECT_EQ(opened->find("m.weight")->data.size(), 4U);
}

TEST(Fp8, WhatDoesNotFitIsNamed) {
    const std::vector<std::uint8_t> bytes(64 * 64, 0x38);
    const auto expect = [&](DType weight, DType scale, const Shape& shape, const std::string& part,
                            const char* config) {
        Folder folder{std::string(config)};
        folder.add("m.weight", weight, {64, 64}, bytes);
        const std::size_t size =
            product(shape) * static_cast<std::size_t>(dtype_info(scale).block_bytes);
        folder.add("m.weight_scale_inv", scale, shape, std::vector<std::uint8_t>(size));
        folder.expect_error(Code::corrupt, part);
    };
    expect(DType::f8_e4m3, DType::f32, {2, 1}, "'m.weight_scale_inv' has the shape [2, 1]",
           kDefault);
    expect(DType::f8_e4m3, DType::i32, {1, 1}, "'m.weight_scale_inv' is of type I32", kDefault);
    expect(DType::u8, DType::f32, {1, 1}, "'m.weight' is of type U8, where F8_E4M3", kDefault);
    expect(DType::f8_e4m3, DType::f32, {1, 1}, "weight_block_size",
           R"({"quant_method":"fp8","weight_block_size":[0,128]})");
    expect(DType::f8_e4m3, DType::f32, {1, 1}, "weight_block_size",
           R"({"quant_method":"fp8","weight_block_size":128})");
    Folder lonely(kDefault);
    lonely.add("m.weight_scale_inv", DType::f32, {1, 1}, std::vector<float>{1});
    lonely.expect_error(Code::corrupt, "'m.weight_scale_inv' needs 'm.weight'");
    Folder flat(kDefault);
    flat.add("m.weight", DType::f8_e4m3, {64}, std::vector<std::uint8_t>(64));
    flat.add("m.weight_scale", DType::f32, {1}, std::vector<float>{1});
    flat.expect_error(Code::corrupt, "'m.weight' has scales, and is no matrix");
    Folder empty(kDefault);
    empty.add("m.weight", DType::f8_e4m3, {0, 64}, std::vector<std::uint8_t>());
    empty.add("m.weight_scale", DType::f32, {1}, std::vector<float>{1});
    empty.expect_error(Code::corrupt, "'m.weight' is empty");
}

}  // namespace
}  // namespace heft::format::packed
