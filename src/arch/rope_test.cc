#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "arch/arch.h"

namespace heft::arch {
namespace {

Rope base() {
    Rope rope;
    rope.theta = 10000;
    rope.dim = 8;
    rope.original_ctx = 128;
    return rope;
}

TEST(RopeTable, PlainFrequenciesArePowersOfTheta) {
    const auto table = rope_table(base(), 128, false);
    ASSERT_EQ(table.frequency.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_DOUBLE_EQ(table.frequency[i], std::pow(10000.0, -static_cast<double>(i) / 4));
    EXPECT_EQ(table.magnitude, 1);
}

TEST(RopeTable, GgufTakesYarnsUsualFactorForGranted) {
    Rope rope = base();
    rope.factor = 40;
    Family one{}, tenth{};
    tenth.gguf_tenth_mscale = true;
    EXPECT_DOUBLE_EQ(gguf_yarn_magnitude(rope, one), 0.1 * std::log(40.0) + 1);
    rope.mscale_all = 0.707;
    EXPECT_DOUBLE_EQ(gguf_yarn_magnitude(rope, tenth), 1);
    EXPECT_DOUBLE_EQ(gguf_yarn_magnitude(rope, one),
                     (0.1 * std::log(40.0) + 1) / (0.0707 * std::log(40.0) + 1));
}

TEST(RopeTable, LinearDividesAll) {
    Rope rope = base();
    rope.scaling = Scaling::linear;
    rope.factor = 4;
    EXPECT_DOUBLE_EQ(rope_table(rope, 128, false).frequency[0], 0.25);
}

// As Llama 4 Scout has it.
TEST(RopeTable, Llama3MayHaveNothingBetweenShortAndLong) {
    Rope rope = base();
    rope.scaling = Scaling::llama3;
    rope.factor = 16;
    rope.low_freq_factor = rope.high_freq_factor = 1;
    const auto plain = rope_table(base(), 128, false).frequency;
    const auto scaled = rope_table(rope, 128, false).frequency;
    EXPECT_DOUBLE_EQ(scaled[1], plain[1]);       // wave of 63 positions
    EXPECT_DOUBLE_EQ(scaled[2], plain[2] / 16);  // of 628
}

TEST(RopeTable, Llama3KeepsShortWavesAndDividesLongOnes) {
    Rope rope = base();
    rope.scaling = Scaling::llama3;
    rope.factor = 8;
    const auto plain = rope_table(base(), 128, false).frequency;
    const auto scaled = rope_table(rope, 128, false).frequency;
    EXPECT_DOUBLE_EQ(scaled[0], plain[0]);      // wave of 6.3 positions, below 128 / 4
    EXPECT_DOUBLE_EQ(scaled[3], plain[3] / 8);  // wave of 6283 positions, above 128
    const double wave = 2 * std::numbers::pi / plain[1];
    ASSERT_GT(wave, 32);
    ASSERT_LT(wave, 128);
    const double smooth = (128 / wave - 1) / 3;
    EXPECT_DOUBLE_EQ(scaled[1], (1 - smooth) * plain[1] / 8 + smooth * plain[1]);
}

TEST(RopeTable, YarnBlendsAndMagnifies) {
    Rope rope = base();
    rope.scaling = Scaling::yarn;
    rope.factor = 4;
    const auto plain = rope_table(base(), 128, false).frequency;
    const auto scaled = rope_table(rope, 512, false);
    EXPECT_DOUBLE_EQ(scaled.frequency[0], plain[0]);
    EXPECT_DOUBLE_EQ(scaled.frequency[3], plain[3] / 4);
    EXPECT_DOUBLE_EQ(scaled.magnitude, 0.1 * std::log(4.0) + 1);
}

TEST(RopeTable, LongropeChoosesItsFactorsButNotItsMagnitude) {
    Rope rope = base();
    rope.scaling = Scaling::longrope;
    rope.short_factors = {1, 2, 3, 4};
    rope.long_factors = {5, 6, 7, 8};
    const auto plain = rope_table(base(), 128, false).frequency;
    const auto brief = rope_table(rope, 1024, false);
    const auto extended = rope_table(rope, 1024, true);
    EXPECT_DOUBLE_EQ(brief.frequency[1], plain[1] / 2);
    EXPECT_DOUBLE_EQ(extended.frequency[1], plain[1] / 6);
    EXPECT_DOUBLE_EQ(brief.magnitude, std::sqrt(1 + std::log(8.0) / std::log(128.0)));
    EXPECT_DOUBLE_EQ(brief.magnitude, extended.magnitude);
}

}  // namespace
}  // namespace heft::arch
