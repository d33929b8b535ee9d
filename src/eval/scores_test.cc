#include "eval/scores.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/windows.h"

namespace heft::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Cut, TakesWholeWindowsAndScoresTheirSecondHalves) {
    std::vector<std::int32_t> ids(35);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(100 + i);
    const auto windows = cut(ids, 8, 1, 0);
    ASSERT_TRUE(windows);
    ASSERT_EQ(windows->size(), 4U);
    EXPECT_THAT((*windows)[1].ids, ElementsAre(1, 109, 110, 111, 112, 113, 114, 115));
    EXPECT_THAT((*windows)[1].positions, ElementsAre(4, 5, 6));
    EXPECT_EQ((*cut(ids, 8, {}, 0))[1].ids.front(), 108);
    EXPECT_EQ(cut(ids, 8, {}, 2)->size(), 2U);
}

TEST(Cut, RefusesTextsThatTellNothing) {
    const std::vector<std::int32_t> ids(15);
    EXPECT_THAT(cut(ids, 8, {}, 0).error().what, HasSubstr("longer text"));
    EXPECT_FALSE(cut(ids, 2, {}, 0));
    EXPECT_FALSE(cut(ids, -1, {}, 0));
}

TEST(Perplexity, OfEvenOddsIsTheirNumber) {
    Perplexity even;
    for (int i = 0; i < 10; ++i) even.add(std::log(1.0 / 32));
    EXPECT_NEAR(even.estimate().value, 32, 1e-9);
    EXPECT_NEAR(even.estimate().error, 0, 1e-9);
    Perplexity mixed;
    mixed.add(std::log(0.5));
    mixed.add(std::log(0.125));
    EXPECT_NEAR(mixed.estimate().value, 4, 1e-12);  // the geometric mean of 2 and 8
    EXPECT_NEAR(mixed.estimate().error, 4 * std::log(2.0), 1e-12);
}

TEST(Divergence, OfAModelFromItselfIsNothing) {
    const std::vector<float> row{1, 2, -3, 0.5F};
    Divergence same;
    for (int i = 0; i < 5; ++i) same.add(row, row, i % 4);
    EXPECT_EQ(same.kl().value, 0);
    EXPECT_EQ(same.same_top().value, 1);
    EXPECT_EQ(same.log_ratio().value, 0);
    EXPECT_EQ(same.probability_change().value, 0);
    EXPECT_EQ(same.perplexity().value, same.base_perplexity().value);
}

TEST(Divergence, IsThatOfTheFormula) {
    const auto logs = [](std::vector<double> p) {
        std::vector<float> out;
        for (const double x : p) out.push_back(static_cast<float>(std::log(x) + 7));  // any shift
        return out;
    };
    Divergence far;
    far.add(logs({0.5, 0.25, 0.25}), logs({0.25, 0.5, 0.25}), 0);
    EXPECT_NEAR(far.kl().value, 0.25 * std::log(2.0), 1e-6);
    EXPECT_EQ(far.same_top().value, 0);
    EXPECT_NEAR(far.log_ratio().value, std::log(2.0), 1e-6);
    EXPECT_NEAR(far.probability_change().value, 0.25, 1e-6);
    far.add(logs({0.5, 0.5}), logs({0.5, 0.5}), 1);
    EXPECT_NEAR(far.kl_quantile(0), 0, 1e-6);
    EXPECT_NEAR(far.kl_quantile(1), 0.25 * std::log(2.0), 1e-6);
    EXPECT_EQ(far.tokens(), 2);
}

}  // namespace
}  // namespace heft::eval
