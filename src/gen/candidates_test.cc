#include "gen/candidates.h"

#include <gtest/gtest.h>

#include "gen/test_lists.h"

namespace heft::gen {
namespace {

std::vector<float> with_traps(std::size_t n, std::uint64_t seed) {
    auto logits = testing::rough_logits(n, seed);
    Rng rng(seed);
    for (std::size_t i = 0; i < n / 8; ++i) logits[rng.next() % n] = NAN;
    for (std::size_t i = 0; i < n / 16; ++i) logits[rng.next() % n] = kImpossible;
    if (seed % 3 == 0 && n > 0) logits[rng.next() % n] = -kImpossible;
    return logits;
}

TEST(Candidates, TheFirstAreThoseOfTheSortedList) {
    for (const std::size_t n_vocab : {1U, 2U, 63U, 64U, 65U, 200U, 1000U})
        for (const std::size_t n : {0U, 1U, 2U, 40U, 64U, 199U, 5000U}) {
            const auto logits = with_traps(n_vocab, n_vocab + n);
            Candidates want;
            assign(want, logits);
            sort(want);
            keep_first(want, n);
            Candidates got;
            assign_first(got, logits, n);
            EXPECT_EQ(got.order, Order::by_logit);
            ASSERT_EQ(got.size(), want.size());
            for (std::size_t i = 0; i < got.size(); ++i) {
                EXPECT_EQ(got.items[i].id, want.items[i].id);
                EXPECT_EQ(got.items[i].logit, want.items[i].logit);
            }
        }
}

TEST(Candidates, TheFirstOfLogitsThatAreNoNumbersAreImpossible) {
    Candidates list;
    assign_first(list, std::vector<float>(100, NAN), 3);
    ASSERT_EQ(list.size(), 3U);
    for (const Candidate& item : list.items) EXPECT_EQ(item.logit, kImpossible);
}

TEST(Candidates, TheHighestIsNeverNan) {
    EXPECT_EQ(highest({}), kImpossible);
    EXPECT_EQ(highest(std::vector<float>(37, NAN)), kImpossible);
    for (std::size_t at = 0; at < 70; ++at) {
        std::vector<float> logits(70, -3.0F);
        logits[(at + 5) % 70] = NAN;
        logits[at] = 2.0F;
        EXPECT_EQ(highest(logits), 2.0F);
    }
}

}  // namespace
}  // namespace heft::gen
