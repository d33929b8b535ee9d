#include "gen/speculation.h"

#include <gtest/gtest.h>

namespace heft::gen {
namespace {

using Ids = std::vector<TokenId>;

Proposal propose(const Ids& text, int most) {
    NgramProposer proposer;
    auto proposal = proposer.propose(text, most);
    EXPECT_TRUE(proposal);
    return std::move(*proposal);
}

TEST(Ngram, WhatFollowedTheLongestAgreementIsProposed) {
    // 7 8 stands twice before, the second time behind a 6 as well.
    const Ids text = {5, 7, 8, 1, 2, 3, 6, 7, 8, 4, 9, 9, 6, 7, 8};
    EXPECT_EQ(propose(text, 3).tokens, (Ids{4, 9, 9}));
    EXPECT_EQ(propose(text, 1).tokens, (Ids{4}));
}

TEST(Ngram, OfEqualAgreementsTheLatestCounts) {
    EXPECT_EQ(propose({7, 8, 1, 7, 8, 2, 3, 7, 8}, 2).tokens, (Ids{2, 3}));
}

TEST(Ngram, WhatRepeatsGoesOnRepeating) {
    EXPECT_EQ(propose({4, 4, 4, 4}, 3).tokens, (Ids{4, 4, 4}));
    EXPECT_EQ(propose({1, 2, 3, 1, 2, 3, 1, 2}, 5).tokens, (Ids{3, 1, 2, 3, 1}));
}

TEST(Ngram, OneTokenThatAgreesIsNotEnough) {
    EXPECT_TRUE(propose({1, 2, 3, 9, 3}, 4).tokens.empty());
    EXPECT_TRUE(propose({1, 2, 3}, 4).tokens.empty());
    EXPECT_TRUE(propose({1}, 4).tokens.empty());
}

TEST(Ngram, TrustGrowsWithTheAgreement) {
    int before = -1;
    for (int length = 2; length <= 40; length += length < 10 ? 1 : 10) {
        Ids text;
        for (int copy = 0; copy < 2; ++copy)
            for (int i = 0; i < length; ++i) text.push_back(i == 0 && copy == 0 ? 999 : 100 + i);
        // The copies agree in all but their first tokens.
        if (length < 3) continue;
        const int trust = propose(text, 1).trust;
        EXPECT_GE(trust, before);
        EXPECT_LT(trust, kTrusts);
        before = trust;
    }
    EXPECT_EQ(before, kTrusts - 1);
}

TEST(Speculation, WhatHasNoMeaningIsRefused) {
    EXPECT_TRUE(validate(SpeculationOptions{}));
    for (const SpeculationOptions& wrong :
         {SpeculationOptions{.n_max = 0}, SpeculationOptions{.n_max = 65},
          SpeculationOptions{.n_min = -1}, SpeculationOptions{.n_max = 3, .n_min = 4},
          SpeculationOptions{.p_min = -0.1F}, SpeculationOptions{.p_min = 1.5F}}) {
        const auto refused = validate(wrong);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::invalid);
    }
}

TEST(Speculation, AWordThatIsNoKindNamesAModel) {
    for (const Guesser guesser : {Guesser::off, Guesser::ngram})
        EXPECT_EQ(guesser_of(to_string(guesser)), guesser);
    EXPECT_EQ(guesser_of("small.gguf"), Guesser::draft);
}

}  // namespace
}  // namespace heft::gen
