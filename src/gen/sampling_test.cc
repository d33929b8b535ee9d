#include "gen/sampling.h"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gen/test_lists.h"

namespace heft::gen {
namespace {

using testing::rough_logits;

Sampler make(SamplingOptions options, int n_vocab) {
    auto sampler = Sampler::make(std::move(options), n_vocab);
    if (!sampler) ADD_FAILURE() << sampler.error().what;
    return *std::move(sampler);
}

SamplingOptions plain(std::int64_t seed) {
    SamplingOptions options;
    options.temperature = 1.0F;
    options.top_k = 0;
    options.top_p = 1.0F;
    options.min_p = 0.0F;
    options.seed = seed;
    return options;
}

TokenId next(Sampler& sampler, const std::vector<float>& logits) {
    const auto choice = sampler.sample(logits);
    if (!choice) ADD_FAILURE() << choice.error().what;
    return choice->id;
}

TEST(Sampler, DrawsFromTheSoftmax) {
    const std::vector<double> p = {0.5, 0.25, 0.125, 0.0625, 0.0625};
    std::vector<float> logits;
    for (const double value : p) logits.push_back(static_cast<float>(std::log(value) + 3));
    // The 99.9 % point of chi-square with 4 degrees of freedom.
    constexpr double limit = 18.47;
    constexpr int n_draws = 20000;
    for (const std::int64_t seed : {1, 42, 4711}) {
        auto sampler = make(plain(seed), 5);
        std::vector<int> counts(p.size(), 0);
        for (int i = 0; i < n_draws; ++i) ++counts[static_cast<std::size_t>(next(sampler, logits))];
        double chi2 = 0;
        for (std::size_t i = 0; i < p.size(); ++i) {
            const double expected = n_draws * p[i];
            chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
        }
        EXPECT_LT(chi2, limit) << seed;
    }
}

// A cut that keeps everything makes the sampler go through the list of all tokens.
TEST(Sampler, TheShortWayGivesTheSameTextAsTheListOfAllTokens) {
    std::vector<SamplingOptions> all(5);
    all[1].penalties.repeat = 1.4F;
    all[1].penalties.presence = -0.5F;
    all[2].dry.multiplier = 2;
    all[2].logit_bias = {{3, 5.0F}, {7, kImpossible}};
    all[3].min_keep = 90;
    all[4].top_k = 5000;
    all[4].mirostat.on = true;
    for (std::size_t i = 0; i < all.size(); ++i) {
        SamplingOptions options = all[i];
        options.seed = 11;
        auto shorter = make(options, 700);
        options.top_n_sigma = 1e30F;
        auto longer = make(options, 700);
        for (std::uint64_t step = 0; step < 60; ++step) {
            auto logits = rough_logits(700, step % 4);
            logits[step] = NAN;
            const TokenId id = next(shorter, logits);
            ASSERT_EQ(next(longer, logits), id) << i << " " << step;
            shorter.accept(id);
            longer.accept(id);
        }
    }
}

TEST(Sampler, SeedFixesTheTextOnEveryMachine) {
    const auto logits = rough_logits(1000, 5);
    SamplingOptions options;
    options.seed = 7;
    auto sampler = make(options, 1000);
    std::vector<TokenId> first;
    for (int i = 0; i < 12; ++i) first.push_back(next(sampler, logits));
    EXPECT_EQ(first,
              (std::vector<TokenId>{807, 374, 882, 536, 554, 618, 46, 765, 567, 485, 732, 918}));
    sampler.reset();
    for (const TokenId id : first) EXPECT_EQ(next(sampler, logits), id);
    auto copy = sampler;
    EXPECT_EQ(next(sampler, logits), next(copy, logits));
    options.seed = 8;
    auto other = make(options, 1000);
    std::vector<TokenId> second;
    for (int i = 0; i < 12; ++i) second.push_back(next(other, logits));
    EXPECT_NE(first, second);
}

TEST(Sampler, RandomSeedIsReportedAndRepeats) {
    const auto logits = rough_logits(500, 6);
    auto random = make(plain(-1), 500);
    auto again = make(plain(static_cast<std::int64_t>(random.seed())), 500);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(next(random, logits), next(again, logits));
}

TEST(Sampler, GreedyTakesTheLowestIdOfTheBest) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    SamplingOptions options;
    options.temperature = 0.0F;
    options.xtc = {1.0F, 0.1F};  // cuts do not matter to greedy decoding
    options.typical_p = 0.1F;
    auto sampler = make(options, 5);
    EXPECT_EQ(next(sampler, {1, 4, nan, 4, 2}), 1);
    EXPECT_EQ(greedy(std::vector<float>{nan, kImpossible}), std::nullopt);

    options.logit_bias = {{1, kImpossible}};
    auto biased = make(options, 5);
    EXPECT_EQ(next(biased, {1, 4, nan, 4, 2}), 3);

    options.logit_bias.clear();
    options.penalties.repeat = 3.0F;
    auto penalised = make(options, 5);
    EXPECT_EQ(next(penalised, {1, 4, nan, 4, 2}), 1);
    penalised.accept(1);
    EXPECT_EQ(next(penalised, {1, 4, nan, 4, 2}), 3);
    penalised.accept(3);
    EXPECT_EQ(next(penalised, {1, 4, nan, 4, 2}), 4);
    penalised.reset();
    EXPECT_EQ(next(penalised, {1, 4, nan, 4, 2}), 1);
}

TEST(Sampler, DryTakesEffectThroughAccept) {
    SamplingOptions options;
    options.temperature = 0.0F;
    options.dry.multiplier = 2.0F;
    auto sampler = make(options, 4);
    for (const TokenId id : {0, 1, 2, 0, 1}) sampler.accept(id);
    EXPECT_EQ(next(sampler, {0, 0, 1.5F, 1}), 3);
}

TEST(Sampler, BannedTokensNeverAppear) {
    auto options = plain(3);
    options.logit_bias = {{0, kImpossible}, {2, 100.0F}};
    auto sampler = make(options, 4);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(next(sampler, {50, 1, 1, 1}), 2);
}

TEST(Sampler, AnythingThatIsNotANumberIsRefusedOrPassedOver) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    for (const float temperature : {0.0F, 0.8F}) {
        for (const bool mirostat : {false, true}) {
            SamplingOptions options;
            options.temperature = temperature;
            options.mirostat.on = mirostat;
            auto sampler = make(options, 3);
            EXPECT_FALSE(sampler.sample(std::vector<float>{nan, nan, nan}));
            EXPECT_FALSE(sampler.sample(std::vector<float>{-inf, nan, -inf}));
            EXPECT_EQ(next(sampler, {nan, 1, -inf}), 1);
            EXPECT_EQ(next(sampler, {nan, 1, inf}), 2);
        }
    }
}

TEST(Sampler, OrderOfTheStagesMatters) {
    // At temperature 4 the distribution is flat enough for min_p to keep all three tokens.
    const std::vector<float> logits = {4, 1, 0};
    auto options = plain(9);
    options.temperature = 4.0F;
    options.min_p = 0.3F;
    const auto distinct = [&logits](const SamplingOptions& chosen) {
        auto sampler = make(chosen, 3);
        std::vector<bool> seen(3, false);
        for (int i = 0; i < 500; ++i) seen[static_cast<std::size_t>(next(sampler, logits))] = true;
        return std::count(seen.begin(), seen.end(), true);
    };
    EXPECT_EQ(distinct(options), 1);
    options.order = *parse_order("temperature;min_p");
    EXPECT_EQ(distinct(options), 3);
    options.order = *parse_order("t");  // a stage left out does nothing
    EXPECT_EQ(distinct(options), 3);
}

TEST(Sampler, DefaultChainEqualsItsStagesOneByOne) {
    const auto logits = rough_logits(3000, 31);
    SamplingOptions options;
    options.seed = 12;
    auto sampler = make(options, 3000);
    auto ranked = testing::from_logits(logits);
    sort(ranked);
    for (int i = 0; i < 300; ++i) {
        const auto id = next(sampler, logits);
        const auto place = std::find_if(ranked.items.begin(), ranked.items.end(),
                                        [id](const auto& item) { return item.id == id; });
        ASSERT_LT(place - ranked.items.begin(), options.top_k);
        ASSERT_GE(place->logit, ranked.items[0].logit + std::log(options.min_p));
    }
}

TEST(Sampler, MirostatReplacesTheCuts) {
    auto options = plain(2);
    options.top_k = 1;  // would leave one token
    options.mirostat = {true, 5.0F, 0.1F};
    auto sampler = make(options, 64);
    const std::vector<float> flat(64, 1.0F);
    const auto first = next(sampler, flat);
    bool other = false;
    for (int i = 0; i < 20; ++i) other = other || next(sampler, flat) != first;
    EXPECT_TRUE(other);
}

TEST(Logprobs, EqualTheLogSoftmaxOfTheRawLogits) {
    auto logits = rough_logits(2000, 77);
    for (auto& logit : logits) logit += 500;  // exp() of these overflows
    long double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<long double>(logit) - 500);
    const auto expected = [&](TokenId id) {
        const float logit = logits[static_cast<std::size_t>(id)];
        return static_cast<float>(static_cast<long double>(logit) - 500 - std::log(sum));
    };
    SamplingOptions options;
    options.seed = 1;
    options.top_logprobs = 5;
    options.penalties.repeat = 2.0F;
    options.logit_bias = {{3, 50.0F}};
    auto sampler = make(options, 2000);
    sampler.accept(3);
    const auto choice = sampler.sample(logits);
    ASSERT_TRUE(choice);
    ASSERT_TRUE(choice->logprob);
    EXPECT_NEAR(*choice->logprob, expected(choice->id), 1e-5);
    ASSERT_EQ(choice->top.size(), 5U);
    auto ranked = testing::from_logits(logits);
    sort(ranked);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(choice->top[i].id, ranked.items[i].id);
        EXPECT_NEAR(choice->top[i].logprob, expected(choice->top[i].id), 1e-5);
    }
    auto silent = make(plain(1), 2000);
    EXPECT_FALSE(silent.sample(logits)->logprob);
}

TEST(Sampler, ChoosesOnlyWhatIsAllowed) {
    const auto logits = testing::rough_logits(200, 3);
    std::vector<std::uint64_t> allowed(4, 0);
    for (const TokenId id : {5, 64, 130})
        allowed[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
    TokenId best_allowed = 5;
    for (const TokenId id : {64, 130})
        if (logits[static_cast<std::size_t>(id)] > logits[static_cast<std::size_t>(best_allowed)])
            best_allowed = id;
    auto options = plain(1);
    options.logit_bias = {{7, 1000.0F}};
    options.penalties.repeat = 1.3F;
    options.logprobs = true;
    auto sampler = make(options, 200);
    sampler.accept(64);
    for (int i = 0; i < 200; ++i) {
        const auto choice = sampler.sample(logits, allowed);
        ASSERT_TRUE(choice);
        EXPECT_THAT(choice->id, ::testing::AnyOf(5, 64, 130));
        // Of the model's own distribution, which knows of no mask.
        EXPECT_NEAR(*choice->logprob,
                    logits[static_cast<std::size_t>(choice->id)] - log_sum_exp(logits), 1e-4);
    }
    options = plain(1);
    options.temperature = 0;
    auto greedy_one = make(options, 200);
    EXPECT_EQ(greedy_one.sample(logits, allowed)->id, best_allowed);
    EXPECT_EQ(greedy_one.sample(logits)->id, greedy(logits));
    EXPECT_FALSE(greedy_one.sample(logits, std::vector<std::uint64_t>(4, 0)));
}

TEST(Logprobs, OfHostileLogits) {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(log_sum_exp(std::vector<float>{nan, -inf}), -inf);
    EXPECT_EQ(logprob_of(-inf, -inf), -inf);
    EXPECT_EQ(logprob_of(inf, inf), 0.0F);
    EXPECT_EQ(logprob_of(nan, 1.0), -inf);
    EXPECT_EQ(top_logprobs(std::vector<float>{1, nan}, 9, 1.0).size(), 2U);
}

}  // namespace
}  // namespace heft::gen
