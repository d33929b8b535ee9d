#include "gen/truncate.h"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gen/temperature.h"
#include "gen/test_lists.h"
#include "gen/xtc.h"

namespace heft::gen {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using testing::from_logits;
using testing::from_probabilities;
using testing::ids;
using testing::rough_logits;

constexpr float kTolerance = 1e-5F;

// Sizes on both sides of every change of method.
const std::vector<std::size_t> kSizes = {1, 2, 255, 256, 257, 600, 4096, 5000};

TEST(TopK, EqualsTheHeadOfAFullSort) {
    for (const std::size_t n : kSizes) {
        for (const int k : {1, 2, 40, 511, 512, 513, 4999, 5000, 9000}) {
            auto sorted = from_logits(rough_logits(n, 7));
            auto cut = sorted;
            std::stable_sort(sorted.items.begin(), sorted.items.end(),
                             [](const auto& a, const auto& b) { return a.logit > b.logit; });
            sorted.items.resize(std::min(n, static_cast<std::size_t>(k)));
            top_k(cut, k);
            ASSERT_EQ(ids(cut), ids(sorted)) << n << " " << k;
        }
    }
}

TEST(TopP, EqualsTheDefinitionOnAFullSort) {
    for (const std::size_t n : kSizes) {
        for (const float p : {0.0F, 0.01F, 0.5F, 0.9F, 0.999F}) {
            auto sorted = from_logits(rough_logits(n, 11));
            auto cut = sorted;
            softmax(sorted);
            sort(sorted);
            double sum = 0;
            std::size_t keep = 0;
            do sum += sorted.items[keep++].p;
            while (sum < p && keep < n);
            keep_first(sorted, keep);
            top_p(cut, p);
            ASSERT_EQ(ids(cut), ids(sorted)) << n << " " << p;
        }
    }
}

TEST(TopP, TakesTheTokenThatCrossesAndStopsWhereTheSumIsExact) {
    const auto list = from_probabilities({0.1F, 0.4F, 0.2F, 0.3F});
    struct Case {
        float p;
        std::vector<TokenId> left;
    };
    const std::vector<Case> cases = {
        {0.0F, {1}},       {0.39F, {1}},           {0.4F, {1}},
        {0.41F, {1, 3}},   {0.7F, {1, 3}},         {0.71F, {1, 3, 2}},
        {0.9F, {1, 3, 2}}, {0.901F, {1, 3, 2, 0}}, {1.0F, {0, 1, 2, 3}},
    };
    for (const auto& [p, left] : cases) {
        auto cut = list;
        top_p(cut, p);
        EXPECT_EQ(ids(cut), left) << p;
    }
}

TEST(MinP, KeepsTheOrderAndTheBestOne) {
    auto list = from_probabilities({0.1F, 0.4F, 0.2F, 0.3F});
    auto cut = list;
    min_p(cut, 0.26F);
    EXPECT_THAT(ids(cut), ElementsAre(1, 2, 3));
    min_p(cut, 1.0F);
    EXPECT_THAT(ids(cut), ElementsAre(1));
    min_p(list, 1.05F);
    EXPECT_THAT(ids(list), ElementsAre(1));
}

TEST(Typical, IsNotDisturbedByImpossibleTokens) {
    auto list = from_probabilities({0.4F, 0.0F, 0.2F, 0.2F, 0.2F});
    typical(list, 0.5F);
    EXPECT_THAT(ids(list), ElementsAre(2, 3, 4));
}

TEST(TopNSigma, CutsByTheSpreadOfTheLogits) {
    auto list = from_probabilities({0.1F, 0.2F, 0.3F, 0.4F});
    top_n_sigma(list, 1.0F);
    EXPECT_THAT(ids(list), ElementsAre(2, 3));
    auto off = from_probabilities({0.1F, 0.2F, 0.3F, 0.4F});
    top_n_sigma(off, 0.0F);
    EXPECT_EQ(off.size(), 4U);
    top_n_sigma(off, 3.0F);
    EXPECT_EQ(off.size(), 4U);
}

TEST(Truncate, MinKeepHoldsInEveryStage) {
    const std::vector<std::pair<const char*, void (*)(Candidates&, std::size_t)>> stages = {
        {"top_k", [](Candidates& l, std::size_t n) { top_k(l, 1, n); }},
        {"top_p", [](Candidates& l, std::size_t n) { top_p(l, 0.01F, n); }},
        {"min_p", [](Candidates& l, std::size_t n) { min_p(l, 1.0F, n); }},
        {"typical", [](Candidates& l, std::size_t n) { typical(l, 0.01F, n); }},
        {"top_n_sigma", [](Candidates& l, std::size_t n) { top_n_sigma(l, 0.1F, n); }},
    };
    for (const auto& [name, stage] : stages) {
        for (const std::size_t min_keep : {0U, 1U, 3U, 4U, 9U}) {
            auto list = from_probabilities({0.1F, 0.45F, 0.2F, 0.25F});
            stage(list, min_keep);
            EXPECT_EQ(list.size(), std::clamp<std::size_t>(min_keep, 1, 4)) << name;
            EXPECT_TRUE(min_keep < 3 || name == std::string("typical") || list.items[0].id == 1
                        || list.size() == 4);
        }
    }
}

TEST(Truncate, SurvivesHostileLogits) {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<std::vector<float>> lists = {
        {nan, nan, nan},        {-inf, -inf, -inf},     {inf, inf, 0}, {inf, -inf, nan},
        {3e38F, -3e38F, 3e38F}, {nan, 1, -inf, 2, inf}, {0},           {nan},
    };
    for (const auto& logits : lists) {
        auto list = from_logits(logits);
        temperature(list, 1e-30F);
        top_n_sigma(list, 1.0F);
        typical(list, 0.5F);
        top_p(list, 0.9F);
        min_p(list, 0.1F);
        dynamic_temperature(list, 0.5F, 0.5F, 1.0F);
        Rng rng(1);
        xtc(list, {1.0F, 0.0F}, 1, rng);
        top_k(list, 2);
        softmax(list);
        ASSERT_FALSE(list.items.empty());
        for (const auto& item : list.items) {
            EXPECT_FALSE(std::isnan(item.logit));
            EXPECT_TRUE(item.p >= 0 && item.p <= 1);
        }
        EXPECT_LT(draw(list, rng), list.size());
    }
}

TEST(Xtc, TakesTheLikelyOnesExceptTheLast) {
    struct Case {
        float threshold;
        std::vector<TokenId> left;
    };
    const std::vector<Case> cases = {
        {0.09F, {3}},          {0.19F, {2, 3}},
        {0.29F, {1, 2, 3}},    {0.39F, {0, 1, 2, 3}},  // one likely token alone stays
        {0.51F, {0, 1, 2, 3}},
    };
    for (const auto& [threshold, left] : cases) {
        auto list = from_probabilities({0.4F, 0.3F, 0.2F, 0.1F});
        Rng rng(3);
        xtc(list, {1.0F, threshold}, 1, rng);
        EXPECT_EQ(ids(list), left) << threshold;
    }
}

TEST(Xtc, ActsAsOftenAsItsProbabilityAndRespectsMinKeep) {
    Rng rng(5);
    int n_acted = 0;
    constexpr int n_tries = 10000;
    for (int i = 0; i < n_tries; ++i) {
        auto list = from_probabilities({0.4F, 0.3F, 0.2F, 0.1F});
        xtc(list, {0.25F, 0.15F}, 1, rng);
        if (list.size() < 4) ++n_acted;
        auto kept = from_probabilities({0.4F, 0.3F, 0.2F, 0.1F});
        xtc(kept, {1.0F, 0.15F}, 3, rng);
        ASSERT_EQ(kept.size(), 4U);
    }
    EXPECT_NEAR(n_acted, 2500, 5 * std::sqrt(n_tries * 0.25 * 0.75));
}

TEST(Temperature, DividesTheLogits) {
    auto list = from_logits({1.0F, -2.0F, 3.0F});
    temperature(list, 0.5F);
    EXPECT_EQ(list.items[0].logit, 2.0F);
    EXPECT_EQ(list.items[1].logit, -4.0F);
    EXPECT_EQ(list.items[2].logit, 6.0F);
}

TEST(Temperature, ZeroAndVanishingKeepTheBestAlone) {
    for (const float t : {0.0F, -1.0F, 1e-44F}) {
        auto list = from_logits({1.0F, 3.0F, 3.0F, 2.0F});
        temperature(list, t);
        softmax(list);
        EXPECT_THAT(testing::probabilities(list), ElementsAre(0, 1, 0, 0)) << t;
    }
}

TEST(DynamicTemperature, RunsFromTheLowEndToTheHighEndWithEntropy) {
    auto even = from_logits({2.0F, 2.0F, 2.0F});
    dynamic_temperature(even, 1.0F, 0.5F, 1.0F);  // all of the entropy: 1.5
    EXPECT_NEAR(even.items[0].logit, 2.0F / 1.5F, kTolerance);

    auto sure = from_logits({200.0F, 0.0F});
    dynamic_temperature(sure, 1.0F, 0.5F, 1.0F);  // none: 0.5
    EXPECT_NEAR(sure.items[0].logit, 400.0F, kTolerance);

    auto between = from_probabilities({0.75F, 0.25F});
    const double h = -(0.75 * std::log(0.75) + 0.25 * std::log(0.25)) / std::log(2.0);
    const double t = 0.2 + 1.2 * h * h;
    const float before = between.items[0].logit;
    dynamic_temperature(between, 0.8F, 0.6F, 2.0F);
    EXPECT_NEAR(between.items[0].logit, before / t, kTolerance);
}

TEST(Softmax, IsStableAndEqualsTheDefinition) {
    for (const float shift : {-1000.0F, 0.0F, 1000.0F}) {
        auto list = from_logits({shift, shift + 1, shift + 2});
        softmax(list);
        EXPECT_THAT(testing::probabilities(list), ElementsAre(FloatNear(0.09003057F, kTolerance),
                                                              FloatNear(0.24472848F, kTolerance),
                                                              FloatNear(0.66524094F, kTolerance)));
    }
}

}  // namespace
}  // namespace heft::gen
