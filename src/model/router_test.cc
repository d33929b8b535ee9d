#include "model/router.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace heft::model {
namespace {

arch::Experts experts(int n, int used) {
    arch::Experts out;
    out.n = n;
    out.n_used = used;
    return out;
}

float weight_of(const Routing& routing, int token, int expert) {
    for (const int pair : routing.pairs_of(token))
        if (routing.experts[static_cast<std::size_t>(pair)] == expert)
            return routing.weights[static_cast<std::size_t>(pair)];
    return -1;
}

TEST(Router, TakesTheBestAndWeighsThemBySoftmax) {
    const std::vector<float> logits = {1, 3, 2, 0};
    const Routing all = route(experts(4, 2), {}, logits, 1);
    const double sum = std::exp(1) + std::exp(3) + std::exp(2) + 1;
    EXPECT_NEAR(weight_of(all, 0, 1), std::exp(3) / sum, 1e-6);
    EXPECT_NEAR(weight_of(all, 0, 2), std::exp(2) / sum, 1e-6);

    arch::Experts kept = experts(4, 2);
    kept.score = arch::Score::softmax_chosen;
    const double of_kept = std::exp(3) / (std::exp(3) + std::exp(2));
    EXPECT_NEAR(weight_of(route(kept, {}, logits, 1), 0, 1), of_kept, 1e-6);
    // The same as normalising the softmax over all.
    arch::Experts normalised = experts(4, 2);
    normalised.normalise = true;
    EXPECT_NEAR(weight_of(route(normalised, {}, logits, 1), 0, 1), of_kept, 1e-6);
}

TEST(Router, ABiasChoosesButDoesNotWeigh) {
    arch::Experts sigmoid = experts(3, 1);
    sigmoid.score = arch::Score::sigmoid;
    sigmoid.scale = 2.5F;
    const std::vector<float> bias = {0, 0, 1};
    const Routing routing = route(sigmoid, bias, std::vector<float>{2, 1, 0.5F}, 1);
    EXPECT_NEAR(weight_of(routing, 0, 2), 2.5F * logistic(0.5F), 1e-6);
}

TEST(Router, KeepsToTheBestGroups) {
    // The best expert stands alone in the first group; the second has the two best together.
    const std::vector<float> logits = {5, -9, 4, 4, 0, 1};
    arch::Experts grouped = experts(6, 2);
    grouped.score = arch::Score::sigmoid;
    grouped.n_group = 3;
    grouped.n_group_used = 1;
    grouped.group_rank = arch::GroupRank::best;
    EXPECT_GT(weight_of(route(grouped, {}, logits, 1), 0, 0), 0);
    grouped.group_rank = arch::GroupRank::best_two;
    const Routing pairs = route(grouped, {}, logits, 1);
    EXPECT_GT(weight_of(pairs, 0, 2), 0);
    EXPECT_GT(weight_of(pairs, 0, 3), 0);
}

TEST(Router, SortsPairsByExpertAndFindsThemAgain) {
    Rng rng(5);
    constexpr int kTokens = 37;
    const arch::Experts some = experts(11, 3);
    std::vector<float> logits(kTokens * 11);
    for (float& value : logits) value = static_cast<float>(rng.uniform());
    const Routing routing = route(some, {}, logits, kTokens);
    EXPECT_EQ(routing.tokens.size(), kTokens * 3U);
    int next = 0;
    for (const ExpertRun& run : routing.runs) {
        EXPECT_EQ(run.first, next);
        EXPECT_GT(run.count, 0);
        for (int p = run.first; p < run.first + run.count; ++p)
            EXPECT_EQ(routing.experts[static_cast<std::size_t>(p)], run.expert);
        next = run.first + run.count;
    }
    EXPECT_EQ(next, kTokens * 3);
    for (int t = 0; t < kTokens; ++t) {
        std::set<int> of_token;
        for (const int p : routing.pairs_of(t)) {
            EXPECT_EQ(routing.tokens[static_cast<std::size_t>(p)], t);
            of_token.insert(routing.experts[static_cast<std::size_t>(p)]);
        }
        EXPECT_EQ(of_token.size(), 3U);
    }
}

TEST(Router, SurvivesNotANumber) {
    const std::vector<float> logits(8, NAN);
    EXPECT_EQ(route(experts(8, 3), {}, logits, 1).tokens.size(), 3U);
}

}  // namespace
}  // namespace heft::model
