// The grouped types against their formulas, one weight at a time.
#include "tensor/quant/grouped.h"

#include <array>
#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "tensor/quant/gf8.h"
#include "tensor/quant/gfp4.h"
#include "tensor/quant/gi4.h"
#include "tensor/quant/gi8.h"
#include "tensor/quant/gnf4.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/test_blocks.h"

namespace heft {
namespace {

using quant::Group;

float from_nf4(int code, const Group& group) {
    // Printed by the reference implementation with seven digits, from the most negative.
    constexpr double kNf4[] = {
        -1.0,      -0.6961928, -0.5250731, -0.3949175, -0.2844414, -0.1847734, -0.0910500, 0.0,
        0.0795803, 0.1609302,  0.2461123,  0.3379152,  0.4407098,  0.5626170,  0.7229568,  1.0};
    const float level = quant::gnf4::kLevels[code];
    EXPECT_NEAR(level, kNf4[code], 1e-7);
    return group.scale * level;
}
float from_fp4(int code, const Group& group) {
    constexpr float kTwelfths[] = {0, 0.0625F, 8, 12, 4, 6, 2, 3};
    const float magnitude = kTwelfths[code & 7] / 12;
    return group.scale * (code >= 8 ? -magnitude : magnitude);
}
float from_e4m3(int code, const Group& group) {
    const int exponent = code >> 3 & 15;
    const float fraction = static_cast<float>(code & 7);
    if ((code & 127) == 127) return NAN;
    const float magnitude =
        exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
    return group.scale * (code >= 128 ? -magnitude : magnitude);
}
float from_integer(int code, const Group& group) {
    return group.scale * static_cast<float>(code - group.zero);
}

struct Row {
    DType type;
    int codes;
    void (*pack)(const std::uint8_t* codes, Group group, void* to);
    float (*weight)(int code, const Group& group);
};

constexpr Row kRows[] = {
    {DType::gi4, 16, quant::gi4::pack, from_integer},
    {DType::gi8, 256, quant::gi8::pack, from_integer},
    {DType::gf8, 256, quant::gf8::pack, from_e4m3},
    {DType::gnf4, 16, quant::gnf4::pack, from_nf4},
    {DType::gfp4, 16, quant::gfp4::pack, from_fp4},
};

void expect_packed(const Row& row, const std::array<std::uint8_t, 32>& codes, const Group& group) {
    const DTypeInfo& info = dtype_info(row.type);
    ASSERT_EQ(info.block, 32);
    // One byte off, and a guard behind.
    std::vector<std::uint8_t> stored(static_cast<std::size_t>(info.block_bytes) + 2, 0xee);
    row.pack(codes.data(), group, stored.data() + 1);
    EXPECT_EQ(stored.front(), 0xee);
    EXPECT_EQ(stored.back(), 0xee) << info.name;
    float got[32];
    codec(row.type)->dequantise(stored.data() + 1, 32, got);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const float want = row.weight(codes[i], group);
        if (std::isnan(want))
            EXPECT_TRUE(std::isnan(got[i])) << info.name;
        else
            EXPECT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(want))
                << info.name << " code " << int{codes[i]} << ": " << got[i] << ", not " << want;
    }
}

TEST(Grouped, EveryCodeAtEveryPlaceReadsBackToTheBit) {
    Rng rng(20);
    for (const Row& row : kRows) {
        const bool integers = row.type == DType::gi4 || row.type == DType::gi8;
        for (int first = 0; first < 256; ++first) {
            std::array<std::uint8_t, 32> codes{};
            for (std::size_t i = 0; i < codes.size(); ++i)
                codes[i] = static_cast<std::uint8_t>((static_cast<std::size_t>(first) + i * 7)
                                                     % static_cast<std::size_t>(row.codes));
            const float scale = static_cast<float>(rng.uniform() * 2 - 1);
            const int zero = static_cast<int>(rng.next() % 512) - 128;
            expect_packed(row, codes, {scale, integers ? zero : 0});
        }
    }
}

}  // namespace
}  // namespace heft
