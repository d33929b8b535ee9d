#include <algorithm>

#include "format/packed/test_folder.h"

namespace heft::format::packed {
namespace {

using test::Expected;
using test::Folder;
using test::put_bits;
using test::Scales;

enum class Order { none, listed, shuffled };

struct Case {
    int bits;
    int in, out;
    int group;  // -1: one
    bool v2;
    Order order;
    DType type;
};

constexpr Case kCases[] = {
    {4, 128, 24, 32, false, Order::none, DType::gi4},
    {4, 128, 24, 64, false, Order::listed, DType::gi4},
    {4, 128, 24, 64, true, Order::shuffled, DType::gi4},
    {4, 128, 24, -1, false, Order::listed, DType::gi4},
    {4, 160, 40, 128, false, Order::none, DType::gi4},  // a short last group
    {4, 160, 40, 128, false, Order::shuffled, DType::gi4},
    {4, 96, 8, 24, false, Order::none, DType::f32},  // groups that are no blocks
    {4, 96, 8, 24, true, Order::shuffled, DType::f32},
    {4, 72, 8, -1, false, Order::none, DType::f32},  // rows that are no blocks
    {2, 128, 32, 64, false, Order::shuffled, DType::gi4},
    {2, 64, 16, -1, true, Order::none, DType::gi4},
    {3, 128, 64, 32, false, Order::none, DType::gi4},
    {3, 128, 64, 64, false, Order::shuffled, DType::gi4},
    {3, 64, 32, -1, true, Order::listed, DType::gi4},
    {8, 128, 12, 32, false, Order::none, DType::gi8},
    {8, 128, 12, 64, true, Order::shuffled, DType::gi8},
};

std::string config_of(const Case& c) {
    return R"({"quant_method":"gptq","bits":)" + std::to_string(c.bits) + R"(,"group_size":)"
           + std::to_string(c.group) + R"(,"desc_act":)"
           + (c.order == Order::shuffled ? "true" : "false")
           + (c.v2 ? R"(,"checkpoint_format":"gptq_v2"})" : "}");
}

struct Layer {
    std::size_t in, out, groups;
    std::vector<int> codes;  // [out, in]
    std::vector<int> zeros;  // [groups, out]
    std::vector<std::int32_t> group_of;
    Scales scales;  // [groups, out]

    Layer(const Case& c, Rng& rng)
        : in(static_cast<std::size_t>(c.in)),
          out(static_cast<std::size_t>(c.out)),
          groups(c.group < 0 ? 1 : static_cast<std::size_t>((c.in + c.group - 1) / c.group)),
          codes(test::random_codes(in * out, 1 << c.bits, rng)),
          zeros(test::random_codes(groups * out, 1 << c.bits, rng)),
          scales(c.v2 ? DType::bf16 : DType::f16, groups * out, rng) {
        for (int k = 0; k < c.in; ++k) group_of.push_back(c.group < 0 ? 0 : k / c.group);
        if (c.order != Order::shuffled) return;
        for (std::size_t k = in; k > 1; --k) std::swap(group_of[k - 1], group_of[rng.next() % k]);
    }

    std::vector<float> weights() const {
        std::vector<float> w;
        for (std::size_t r = 0; r < out; ++r)
            for (std::size_t k = 0; k < in; ++k) {
                const std::size_t at = static_cast<std::size_t>(group_of[k]) * out + r;
                w.push_back(scales.values[at] * static_cast<float>(codes[r * in + k] - zeros[at]));
            }
        return w;
    }

    void add_to(Folder& folder, const Case& c) const {
        const auto bits = static_cast<std::size_t>(c.bits);
        const std::size_t rows = (in * bits + 31) / 32;
        std::vector<std::uint32_t> qweight(rows * out);
        for (std::size_t r = 0; r < out; ++r)
            for (std::size_t k = 0; k < in; ++k)
                put_bits(qweight, k * bits, codes[r * in + k], c.bits, out, r);
        const std::size_t across = (out * bits + 31) / 32;
        std::vector<std::uint32_t> qzeros(across * groups);
        for (std::size_t g = 0; g < groups; ++g)
            for (std::size_t r = 0; r < out; ++r)
                put_bits(qzeros, r * bits, zeros[g * out + r] - (c.v2 ? 0 : 1), c.bits, 1,
                         g * across);
        const auto extent = [](std::size_t n) { return static_cast<std::int64_t>(n); };
        folder.add_words("m.qweight", {extent(rows), extent(out)}, qweight);
        folder.add_words("m.qzeros", {extent(groups), extent(across)}, qzeros);
        scales.add_to(folder, "m.scales", {extent(groups), extent(out)});
        if (c.order != Order::none) folder.add("m.g_idx", DType::i32, {extent(in)}, group_of);
    }
};

TEST(Gptq, EveryWidthGroupAndOrderReadsBackToTheBit) {
    Rng rng(31);
    for (const Case& c : kCases) {
        const Layer layer(c, rng);
        Folder folder(config_of(c));
        layer.add_to(folder, c);
        test::expect_weights(folder, {"m.weight", c.type, {c.out, c.in}, layer.weights()});
    }
}

TEST(Gptq, ActOrderMakesGroupsContiguousAndIsShared) {
    Rng rng(32);
    const Case c{4, 128, 8, 32, false, Order::shuffled, DType::gi4};
    const Layer layer(c, rng);
    Folder folder(config_of(c));
    layer.add_to(folder, c);
    const auto opened = folder.open();
    ASSERT_TRUE(opened) << opened.error().what;
    const TensorView* view = opened->find("m.weight");
    ASSERT_NE(view->input_order, nullptr);
    const std::vector<std::int32_t>& order = *view->input_order;
    std::vector<std::int32_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t k = 0; k < sorted.size(); ++k)
        EXPECT_EQ(sorted[k], static_cast<std::int32_t>(k));
    for (std::size_t k = 0; k < order.size(); ++k)
        EXPECT_EQ(layer.group_of[static_cast<std::size_t>(order[k])],
                  static_cast<std::int32_t>(k / 32));
}

TEST(Gptq, SettingsInAFileOfTheirOwn) {
    Rng rng(33);
    const Case c{4, 64, 8, 32, false, Order::none, DType::gi4};
    const Layer layer(c, rng);
    Folder folder("quantize_config.json", R"({"bits":4,"group_size":32,"desc_act":false})");
    layer.add_to(folder, c);
    test::expect_weights(folder, {"m.weight", c.type, {c.out, c.in}, layer.weights()});
    Folder silent("");
    layer.add_to(silent, c);
    silent.expect_error(Code::unsupported, "'m.qweight'");
}

TEST(Gptq, WithoutZeroPointsTheyAreInTheMiddle) {
    Folder folder(R"({"quant_method":"gptq","bits":4,"group_size":-1,"sym":true})");
    folder.add_words("m.qweight", {4, 1}, {0x76543210, 0xfedcba98, 0x76543210, 0xfedcba98});
    folder.add("m.scales", DType::f32, {1, 1}, std::vector<float>{0.5F});
    std::vector<float> want;
    for (int k = 0; k < 32; ++k) want.push_back(0.5F * static_cast<float>(k % 16 - 8));
    test::expect_weights(folder, {"m.weight", DType::gi4, {1, 32}, want});
}

TEST(Gptq, ModulesWithSettingsOfTheirOwn) {
    Rng rng(34);
    const Case c{8, 64, 8, 32, false, Order::listed, DType::gi8};
    const Layer layer(c, rng);
    Folder folder(
        R"({"quant_method":"gptq","bits":4,"group_size":128,"dynamic":{"m":{"bits":8}}})");
    layer.add_to(folder, c);
    test::expect_weights(folder, {"m.weight", c.type, {c.out, c.in}, layer.weights()});
}

struct Fault {
    const char* drop;  // this part is left out
    const char* bad;   // or has an extent of one more
    const char* message;
};

TEST(Gptq, WhatDoesNotFitIsNamed) {
    const std::string config = R"({"quant_method":"gptq","bits":4,"group_size":32})";
    const struct {
        const char* name;
        DType type;
        Shape shape;
    } parts[] = {{"m.qweight", DType::i32, {8, 16}},
                 {"m.qzeros", DType::i32, {2, 2}},
                 {"m.scales", DType::f16, {2, 16}},
                 {"m.g_idx", DType::i32, {64}}};
    const Fault faults[] = {{"m.scales", "", "'m.qweight' needs 'm.scales'"},
                            {"", "m.scales", "'m.scales' has the shape [2, 17]"},
                            {"", "m.qzeros", "'m.qzeros' has the shape [2, 3]"},
                            {"", "m.g_idx", "'m.qweight' has the shape [8, 16], where [9, 16]"}};
    for (const Fault& fault : faults) {
        Folder folder(config);
        for (const auto& part : parts) {
            if (fault.drop == std::string(part.name)) continue;
            Shape shape = part.shape;
            if (fault.bad == std::string(part.name)) ++shape.back();
            const std::uint64_t size = *tensor_bytes(part.type, shape);
            folder.add(part.name, part.type, shape, std::vector<std::uint8_t>(size));
        }
        folder.expect_error(Code::corrupt, fault.message);
    }
    Folder outside(config);
    for (const auto& part : parts)
        outside.add(part.name, part.type, part.shape,
                    std::vector<std::uint8_t>(*tensor_bytes(part.type, part.shape), 1));
    outside.expect_error(Code::corrupt, "'m.g_idx' puts input 0 into group 16843009 of 2");
    for (const char* settings : {R"("bits":5)", R"("checkpoint_format":"marlin")"}) {
        Folder folder(R"({"quant_method":"gptq",)" + std::string(settings) + "}");
        folder.add_words("m.qweight", {8, 16}, std::vector<std::uint32_t>(128));
        folder.expect_error(Code::unsupported, "GPTQ");
    }
}

}  // namespace
}  // namespace heft::format::packed
