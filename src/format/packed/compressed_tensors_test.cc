#include "format/packed/test_folder.h"

namespace heft::format::packed {
namespace {

using test::Folder;
using test::put_bits;
using test::Scales;

enum class Zeros { none, plain, packed };

struct Case {
    const char* format;
    int bits;
    const char* strategy;  // with its numbers
    std::int64_t tile_rows, tile_cols;
    std::int64_t rows, cols;
    Shape scales;
    Zeros zeros;
    bool shuffled;
    DType type;
};

constexpr const char* kGroup32 = R"("strategy":"group","group_size":32)";
constexpr const char* kGroup128 = R"("strategy":"group","group_size":128)";
constexpr const char* kGroup24 = R"("strategy":"group","group_size":24)";
constexpr const char* kChannel = R"("strategy":"channel","group_size":null)";
constexpr const char* kTensor = R"("strategy":"tensor")";
constexpr const char* kBlock = R"("strategy":"block","block_structure":[16,64])";

const Case kCases[] = {
    {"int-quantized", 8, kChannel, 1, 64, 12, 64, {12, 1}, Zeros::none, false, DType::gi8},
    {"int-quantized", 8, kChannel, 1, 64, 12, 64, {12, 1}, Zeros::plain, false, DType::gi8},
    {"int-quantized", 8, kTensor, 12, 64, 12, 64, {1}, Zeros::plain, false, DType::gi8},
    {"naive-quantized", 8, kGroup32, 1, 32, 12, 96, {12, 3}, Zeros::plain, false, DType::gi8},
    {"int-quantized", 8, kGroup32, 1, 32, 12, 96, {12, 3}, Zeros::none, true, DType::gi8},
    {"int-quantized", 8, kChannel, 1, 50, 12, 50, {12, 1}, Zeros::none, false, DType::f32},
    {"pack-quantized", 4, kGroup128, 1, 128, 20, 256, {20, 2}, Zeros::none, false, DType::gi4},
    {"pack-quantized", 4, kGroup32, 1, 32, 20, 96, {20, 3}, Zeros::packed, false, DType::gi4},
    {"pack-quantized", 4, kGroup32, 1, 32, 21, 96, {21, 3}, Zeros::packed, true, DType::gi4},
    {"pack-quantized", 4, kGroup32, 1, 32, 20, 96, {20, 3}, Zeros::plain, true, DType::gi4},
    {"pack-quantized", 4, kChannel, 1, 36, 20, 36, {20, 1}, Zeros::none, false, DType::f32},
    {"pack-quantized", 4, kGroup24, 1, 24, 20, 96, {20, 4}, Zeros::packed, false, DType::f32},
    {"pack-quantized", 8, kChannel, 1, 64, 10, 64, {10, 1}, Zeros::packed, false, DType::gi8},
    {"pack-quantized", 8, kGroup32, 1, 32, 10, 64, {10, 2}, Zeros::none, true, DType::gi8},
    {"pack-quantized", 2, kGroup32, 1, 32, 10, 64, {10, 2}, Zeros::none, false, DType::gi4},
    {"pack-quantized", 3, kGroup32, 1, 32, 10, 64, {10, 2}, Zeros::none, false, DType::gi4},
    {"float-quantized", 0, kChannel, 1, 64, 10, 64, {10, 1}, Zeros::none, false, DType::gf8},
    {"float-quantized", 0, kTensor, 10, 64, 10, 64, {1}, Zeros::none, false, DType::gf8},
    {"float-quantized", 0, kBlock, 16, 64, 40, 160, {3, 3}, Zeros::none, false, DType::gf8},
};

std::string config_of(const Case& c) {
    return R"({"quant_method":"compressed-tensors","format":")" + std::string(c.format)
           + R"(","ignore":["lm_head"],"config_groups":{"group_0":{"targets":["Linear"],)"
           + R"("input_activations":null,"weights":{"num_bits":)"
           + std::to_string(c.bits == 0 ? 8 : c.bits) + R"(,"type":")"
           + (c.bits == 0 ? "float" : "int") + R"(","symmetric":)"
           + (c.zeros == Zeros::none ? "true," : "false,") + c.strategy + "}}}}";
}

struct Module {
    const Case& c;
    std::int64_t across, down;
    int half;                            // the code of 0
    std::vector<int> codes;              // without sign, [rows, cols]
    std::vector<int> zeros;              // with sign, [down, across]
    std::vector<std::int32_t> group_of;  // by column
    Scales scales;

    Module(const Case& of, Rng& rng)
        : c(of),
          across((c.cols + c.tile_cols - 1) / c.tile_cols),
          down((c.rows + c.tile_rows - 1) / c.tile_rows),
          half(c.bits == 0 ? 0 : 1 << (c.bits - 1)),
          codes(test::random_codes(static_cast<std::size_t>(c.rows * c.cols),
                                   c.bits == 0 ? 256 : 1 << c.bits, rng)),
          zeros(static_cast<std::size_t>(across * down)),
          scales(DType::bf16, static_cast<std::size_t>(across * down), rng) {
        if (c.zeros != Zeros::none)
            for (int& zero : zeros)
                zero = static_cast<int>(rng.next() % (2U * static_cast<unsigned>(half))) - half;
        for (std::int64_t k = 0; k < c.cols; ++k)
            group_of.push_back(static_cast<std::int32_t>(k / c.tile_cols));
        if (!c.shuffled) return;
        for (std::size_t k = group_of.size(); k > 1; --k)
            std::swap(group_of[k - 1], group_of[rng.next() % k]);
    }

    std::vector<float> weights() const {
        std::vector<float> out;
        for (std::size_t i = 0; i < codes.size(); ++i) {
            const auto at = static_cast<std::int64_t>(i);
            const auto place =
                static_cast<std::size_t>(at / c.cols / c.tile_rows * across
                                         + group_of[static_cast<std::size_t>(at % c.cols)]);
            const float level = c.bits == 0 ? from_f8_e4m3(static_cast<std::uint8_t>(codes[i]))
                                            : static_cast<float>(codes[i] - half - zeros[place]);
            out.push_back(scales.values[place] * level);
        }
        return out;
    }

    void add_to(Folder& folder) const {
        scales.add_to(folder, "m.weight_scale", c.scales);
        add_weights(folder);
        add_zeros(folder);
        if (c.shuffled) folder.add("m.weight_g_idx", DType::i32, {c.cols}, group_of);
    }

    void add_weights(Folder& folder) const {
        if (std::string(c.format) != "pack-quantized") {
            std::vector<std::uint8_t> bytes;
            for (const int code : codes) bytes.push_back(static_cast<std::uint8_t>(code - half));
            folder.add("m.weight", c.bits == 0 ? DType::f8_e4m3 : DType::i8, {c.rows, c.cols},
                       bytes);
            return;
        }
        const std::int64_t width = (c.cols * c.bits + 31) / 32;
        std::vector<std::uint32_t> words(static_cast<std::size_t>(c.rows * width));
        for (std::size_t i = 0; i < codes.size(); ++i) {
            const std::size_t row = i / static_cast<std::size_t>(c.cols);
            const std::size_t column = i % static_cast<std::size_t>(c.cols);
            put_bits(words, column * static_cast<std::size_t>(c.bits), codes[i], c.bits, 1,
                     row * static_cast<std::size_t>(width));
        }
        folder.add_words("m.weight_packed", {c.rows, width}, words);
        folder.add("m.weight_shape", DType::i64, {2}, std::vector<std::int64_t>{c.rows, c.cols});
    }

    void add_zeros(Folder& folder) const {
        if (c.zeros == Zeros::plain) {
            std::vector<std::int8_t> bytes;
            for (const int zero : zeros) bytes.push_back(static_cast<std::int8_t>(zero));
            folder.add("m.weight_zero_point", DType::i8, c.scales, bytes);
        }
        if (c.zeros != Zeros::packed) return;
        const std::int64_t height = (down * c.bits + 31) / 32;
        std::vector<std::uint32_t> words(static_cast<std::size_t>(height * across));
        for (std::size_t i = 0; i < zeros.size(); ++i) {
            const std::size_t row = i / static_cast<std::size_t>(across);
            put_bits(words, row * static_cast<std::size_t>(c.bits), zeros[i] + half, c.bits,
                     static_cast<std::size_t>(across), i % static_cast<std::size_t>(across));
        }
        folder.add_words("m.weight_zero_point", {height, across}, words);
    }
};

TEST(CompressedTensors, EveryFormatAndStrategyReadsBackToTheBit) {
    Rng rng(42);
    for (const Case& c : kCases) {
        const Module module(c, rng);
        Folder folder(config_of(c));
        module.add_to(folder);
        test::expect_weights(folder, {"m.weight", c.type, {c.rows, c.cols}, module.weights()});
    }
}

TEST(CompressedTensors, EveryModuleTakesTheSchemeThatItsShapesFit) {
    Rng rng(43);
    const std::string config =
        R"({"quant_method":"compressed-tensors","format":"mixed-precision","config_groups":{)"
        R"("a":{"weights":{"num_bits":8,"type":"int","strategy":"channel"}},)"
        R"("b":{"weights":{"num_bits":4,"type":"int","strategy":"group","group_size":32}}}})";
    for (const Case& c : {kCases[7], kCases[12]}) {
        const Module module(c, rng);
        Folder folder(config);
        module.add_to(folder);
        test::expect_weights(folder, {"m.weight", c.type, {c.rows, c.cols}, module.weights()});
    }
}

TEST(CompressedTensors, IgnoredModulesAndActivationScales) {
    Rng rng(44);
    const Module module(kCases[0], rng);
    Folder folder(config_of(kCases[0]));
    module.add_to(folder);
    folder.add("m.input_scale", DType::f32, {1}, std::vector<float>{1});
    folder.add("lm_head.weight", DType::f32, {1, 2}, std::vector<float>{1, 2});
    const auto opened = folder.open();
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(opened->tensors().size(), 2U);
    EXPECT_EQ(opened->find("lm_head.weight")->data.size(), 8U);
}

TEST(CompressedTensors, WhatDoesNotFitIsNamed) {
    Rng rng(45);
    const Case& packed = kCases[6];
    const Module module(packed, rng);
    Folder other(config_of(kCases[7]));
    module.add_to(other);
    other.expect_error(Code::corrupt, "'m.weight_scale' with the shape [20, 2] fits none");
    Folder shapeless(config_of(packed));
    module.scales.add_to(shapeless, "m.weight_scale", packed.scales);
    shapeless.add_words("m.weight_packed", {20, 32}, std::vector<std::uint32_t>(640));
    shapeless.expect_error(Code::corrupt, "'m.weight_packed' needs 'm.weight_shape'");
    Folder lying(config_of(packed));
    module.scales.add_to(lying, "m.weight_scale", packed.scales);
    lying.add_words("m.weight_packed", {20, 32}, std::vector<std::uint32_t>(640));
    lying.add("m.weight_shape", DType::i64, {2}, std::vector<std::int64_t>{20, 1 << 20});
    lying.expect_error(Code::corrupt, "fits none");
    Folder lonely(config_of(packed));
    module.scales.add_to(lonely, "m.weight_scale", packed.scales);
    lonely.expect_error(Code::corrupt, "'m.weight_scale' has no weights beside it");
    Folder plain(config_of(packed));
    module.scales.add_to(plain, "m.weight_scale", packed.scales);
    plain.add("m.weight", DType::f32, {20, 1}, std::vector<float>(20));
    plain.expect_error(Code::corrupt, "'m.weight' is of type F32");
    for (const char* format : {"marlin-24", "nvfp4-pack-quantized", "sparse-bitmask"}) {
        Folder folder(R"({"quant_method":"compressed-tensors","format":")" + std::string(format)
                      + "\"}");
        module.add_to(folder);
        folder.expect_error(Code::unsupported, format);
    }
}

}  // namespace
}  // namespace heft::format::packed
