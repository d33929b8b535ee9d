#include "gen/pace.h"

#include <gtest/gtest.h>

namespace heft::gen {
namespace {

constexpr int kMost = 8;

// A machine on which each further token of a pass costs `extra` times what the first one does.
void learn_cost(Pace& pace, double extra) {
    for (int i = 0; i < 40; ++i) {
        pace.took(1, 1);
        for (int n = 2; n <= kMost + 1; ++n) pace.took(n, 1 + extra * (n - 1));
    }
    pace.took(1, 1);
}

void learn_odds(Pace& pace, int trust, int right, int of) {
    for (int i = 0; i < 200; ++i) pace.saw(trust, i % of < right);
}

TEST(Pace, GuessesThatAreRightArePursuedAsFarAsMayBe) {
    Pace pace(kMost);
    learn_cost(pace, 0.1);
    learn_odds(pace, 0, 1, 1);
    EXPECT_EQ(pace.worth(0, kMost), kMost);
    EXPECT_EQ(pace.worth(0, 3), 3);
    EXPECT_EQ(pace.worth(0, 0), 0);
}

TEST(Pace, GuessesThatAreWrongAreNotChecked) {
    Pace pace(kMost);
    learn_cost(pace, 0.3);
    learn_odds(pace, 0, 0, 1);
    EXPECT_EQ(pace.worth(0, kMost), 0);
    EXPECT_NEAR(pace.odds(0), 0, 0.01);
}

TEST(Pace, WhatATokenCostsDecides) {
    Pace cheap(kMost);
    Pace dear(kMost);
    learn_cost(cheap, 0.1);
    learn_cost(dear, 0.9);
    for (Pace* pace : {&cheap, &dear}) learn_odds(*pace, 0, 3, 4);
    EXPECT_GT(cheap.worth(0, kMost), 2);
    EXPECT_LT(cheap.worth(0, kMost), kMost);
    EXPECT_EQ(dear.worth(0, kMost), 0);
}

TEST(Pace, NothingIsCheckedBeforeATokenAloneWasMeasured) {
    Pace pace(kMost);
    learn_odds(pace, 0, 1, 1);
    EXPECT_EQ(pace.worth(0, kMost), 0);
    pace.took(1, 1);
    pace.took(1, 1);
    EXPECT_GT(pace.worth(0, kMost), 0);
}

TEST(Pace, AFewDearPassesAreEnoughToSeeIt) {
    Pace pace(kMost);
    learn_odds(pace, 0, 9, 10);
    for (int i = 0; i < 3; ++i) pace.took(1, 1);
    int n_dear = 0;
    for (int i = 0; i < 100; ++i) {
        const int n = pace.worth(0, kMost);
        if (n > 0) ++n_dear;
        pace.took(n + 1, n == 0 ? 1 : 1 + n * 1.1);
    }
    EXPECT_LE(n_dear, 4);
}

TEST(Pace, OddsAreLearnedForEachTrustApartAndForgottenInTime) {
    Pace pace(kMost);
    learn_cost(pace, 0.2);
    learn_odds(pace, 0, 0, 1);
    learn_odds(pace, 5, 1, 1);
    EXPECT_EQ(pace.worth(0, kMost), 0);
    EXPECT_EQ(pace.worth(5, kMost), kMost);
    learn_odds(pace, 0, 1, 1);
    EXPECT_EQ(pace.worth(0, kMost), kMost);
}

TEST(Pace, OneInterruptionIsForgotten) {
    Pace pace(kMost);
    learn_cost(pace, 0.1);
    learn_odds(pace, 0, 1, 1);
    pace.took(kMost + 1, 1000);
    for (int i = 0; i < 1000; ++i) pace.took(1, 1);
    EXPECT_EQ(pace.worth(0, kMost), kMost);
}

TEST(Pace, OneTokenIsMeasuredNowAndThen) {
    Pace pace(kMost);
    learn_cost(pace, 0.1);
    learn_odds(pace, 0, 1, 1);
    int passes = 0;
    while (pace.worth(0, 1) > 0 && passes < 1000) {
        pace.took(2, 1.1);
        ++passes;
    }
    EXPECT_LT(passes, 1000);
    pace.took(1, 1);
    EXPECT_GT(pace.worth(0, 1), 0);
}

}  // namespace
}  // namespace heft::gen
