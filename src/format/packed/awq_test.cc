#include "format/packed/test_folder.h"

namespace heft::format::packed {
namespace {

using test::Folder;
using test::Scales;

struct Case {
    const char* version;
    int in, out, group;
    DType type;
};

constexpr Case kCases[] = {
    {"gemm", 128, 24, 32, DType::gi4},  {"GEMM", 160, 16, 128, DType::gi4},
    {"gemm", 64, 8, -1, DType::gi4},    {"gemm", 80, 16, 40, DType::f32},
    {"gemv", 128, 5, 32, DType::gi4},   {"gemv", 512, 3, 128, DType::gi4},
    {"gemv", 1024, 3, 64, DType::gi4},  {"gemv", 64, 7, -1, DType::gi4},
    {"gemv", 2048, 2, 128, DType::gi4},
};

struct Layer {
    std::size_t in, out, group, groups;
    std::vector<int> codes;  // [out, in]
    std::vector<int> zeros;  // [groups, out]
    Scales scales;

    Layer(const Case& c, Rng& rng)
        : in(static_cast<std::size_t>(c.in)),
          out(static_cast<std::size_t>(c.out)),
          group(c.group < 0 ? in : static_cast<std::size_t>(c.group)),
          groups((in + group - 1) / group),
          codes(test::random_codes(in * out, 16, rng)),
          zeros(test::random_codes(groups * out, 16, rng)),
          scales(DType::f16, groups * out, rng) {}

    std::vector<float> weights() const {
        std::vector<float> w;
        for (std::size_t r = 0; r < out; ++r)
            for (std::size_t k = 0; k < in; ++k) {
                const std::size_t at = k / group * out + r;
                w.push_back(scales.values[at] * static_cast<float>(codes[r * in + k] - zeros[at]));
            }
        return w;
    }
};

std::int64_t extent(std::size_t n) {
    return static_cast<std::int64_t>(n);
}

// Word by word, as WQLinear_GEMM packs: the i-th nibble is output order[i] of the word's eight.
void add_gemm(Folder& folder, const Layer& layer) {
    constexpr std::size_t kOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};
    const std::size_t words = layer.out / 8;
    std::vector<std::uint32_t> qweight(layer.in * words);
    std::vector<std::uint32_t> qzeros(layer.groups * words);
    for (std::size_t w = 0; w < words; ++w)
        for (std::size_t i = 0; i < 8; ++i) {
            const std::size_t r = w * 8 + kOrder[i];
            for (std::size_t k = 0; k < layer.in; ++k)
                qweight[k * words + w] |= static_cast<std::uint32_t>(layer.codes[r * layer.in + k])
                                          << (4 * i);
            for (std::size_t g = 0; g < layer.groups; ++g)
                qzeros[g * words + w] |= static_cast<std::uint32_t>(layer.zeros[g * layer.out + r])
                                         << (4 * i);
        }
    folder.add_words("m.qweight", {extent(layer.in), extent(words)}, qweight);
    folder.add_words("m.qzeros", {extent(layer.groups), extent(words)}, qzeros);
    layer.scales.add_to(folder, "m.scales", {extent(layer.groups), extent(layer.out)});
}

// As WQLinear_GEMV: rows of words in plain order, scales and zero points padded.
void add_gemv(Folder& folder, const Layer& layer) {
    std::size_t width = (layer.groups + 7) / 8;
    const std::size_t multiple = layer.group >= 128 ? 1 : layer.group == 64 ? 2 : 4;
    width = (width + multiple - 1) / multiple * multiple;
    std::vector<std::uint32_t> qweight(layer.out * layer.in / 8);
    for (std::size_t i = 0; i < layer.codes.size(); ++i)
        qweight[i / 8] |= static_cast<std::uint32_t>(layer.codes[i]) << (4 * (i % 8));
    std::vector<std::uint32_t> qzeros(layer.out * width);
    std::vector<std::uint16_t> scales(layer.out * width * 8);
    for (std::size_t r = 0; r < layer.out; ++r)
        for (std::size_t g = 0; g < layer.groups; ++g) {
            const std::size_t at = g * layer.out + r;
            qzeros[r * width + g / 8] |= static_cast<std::uint32_t>(layer.zeros[at])
                                         << (4 * (g % 8));
            scales[r * width * 8 + g] = to_f16(layer.scales.values[at]);
        }
    folder.add_words("m.qweight", {extent(layer.out), extent(layer.in / 8)}, qweight);
    folder.add_words("m.qzeros", {extent(layer.out), extent(width)}, qzeros);
    folder.add("m.scales", DType::f16, {extent(layer.out), extent(width * 8)}, scales);
}

std::string config_of(const Case& c) {
    return R"({"quant_method":"awq","bits":4,"zero_point":true,"version":")"
           + std::string(c.version) + R"(","group_size":)" + std::to_string(c.group) + "}";
}

TEST(Awq, BothLayoutsReadBackToTheBit) {
    Rng rng(35);
    for (const Case& c : kCases) {
        const Layer layer(c, rng);
        Folder folder(config_of(c));
        (std::string(c.version) == "gemv" ? add_gemv : add_gemm)(folder, layer);
        test::expect_weights(folder, {"m.weight", c.type, {c.out, c.in}, layer.weights()});
    }
}

TEST(Awq, SettingsInAFileOfTheirOwn) {
    Rng rng(36);
    const Case c{"gemm", 64, 8, 32, DType::gi4};
    const Layer layer(c, rng);
    Folder folder("quant_config.json",
                  R"({"zero_point":true,"q_group_size":32,"w_bit":4,"version":"GEMM"})");
    add_gemm(folder, layer);
    test::expect_weights(folder, {"m.weight", c.type, {c.out, c.in}, layer.weights()});
}

TEST(Awq, WhatDoesNotFitIsNamed) {
    Rng rng(37);
    const Layer layer({"gemm", 64, 8, 32, DType::gi4}, rng);
    Folder larger(R"({"quant_method":"awq","bits":4,"group_size":64})");
    add_gemm(larger, layer);
    larger.expect_error(Code::corrupt, "'m.qzeros' has the shape [2, 1], where [1, 1]");
    Folder fast(R"({"quant_method":"awq","version":"gemv_fast"})");
    add_gemm(fast, layer);
    fast.expect_error(Code::unsupported, "'gemv_fast'");
    Folder wide(R"({"quant_method":"awq","bits":8})");
    add_gemm(wide, layer);
    wide.expect_error(Code::unsupported, "8 bits");
    Folder lonely(R"({"quant_method":"awq"})");
    lonely.add_words("m.qweight", {64, 1}, std::vector<std::uint32_t>(64));
    lonely.expect_error(Code::corrupt, "'m.qweight' needs 'm.qzeros'");
}

}  // namespace
}  // namespace heft::format::packed
