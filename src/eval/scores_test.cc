#include "eval/scores.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "eval/base_logits.h"
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

TEST(LogProbability, IsThatOfTheWholeRow) {
    const std::vector<float> row{80, 81.5F, -300, 79.25F};
    std::vector<double> all;
    log_softmax(row, all);
    double sum = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        EXPECT_EQ(log_probability(row, static_cast<std::int32_t>(i)), all[i]);
        sum += std::exp(all[i]);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
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
    for (int i = 0; i < 5; ++i) same.add(compare(row, row, i % 4));
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
    far.add(compare(logs({0.5, 0.25, 0.25}), logs({0.25, 0.5, 0.25}), 0));
    EXPECT_NEAR(far.kl().value, 0.25 * std::log(2.0), 1e-6);
    EXPECT_EQ(far.same_top().value, 0);
    EXPECT_NEAR(far.log_ratio().value, std::log(2.0), 1e-6);
    EXPECT_NEAR(far.probability_change().value, 0.25, 1e-6);
    far.add(compare(logs({0.5, 0.5}), logs({0.5, 0.5}), 1));
    EXPECT_NEAR(far.kl_quantile(0), 0, 1e-6);
    EXPECT_NEAR(far.kl_quantile(1), 0.25 * std::log(2.0), 1e-6);
    EXPECT_EQ(far.tokens(), 2);
}

TEST(Divergence, ExpectsOfTheBaseItsEntropyAndOfOthersMore) {
    const auto logs = [](double p) {
        return std::vector<float>{static_cast<float>(std::log(p)),
                                  static_cast<float>(std::log(1 - p)),
                                  -std::numeric_limits<float>::infinity()};
    };
    Divergence far;
    for (int i = 0; i < 2; ++i)  // whichever token came
        far.add(compare(logs(0.8), logs(0.5), i));
    const double entropy = -0.8 * std::log(0.8) - 0.2 * std::log(0.2);
    EXPECT_NEAR(far.base_expected_perplexity().value, std::exp(entropy), 1e-6);
    EXPECT_NEAR(far.expected_perplexity().value, 2, 1e-6);  // even odds, whatever the base thinks
    EXPECT_NEAR(far.expected_perplexity().value / far.base_expected_perplexity().value,
                std::exp(far.kl().value), 1e-6);
}

// -- logits of a base, in a file

// Logits like a model's: a few likely ids, very many unlikely ones.
std::vector<float> some_logits(std::uint64_t seed, std::size_t n) {
    Rng rng(seed);
    std::vector<float> out(n);
    for (float& x : out) x = static_cast<float>(8 * rng.uniform() + 4 * rng.uniform());
    for (int i = 0; i < 5; ++i) out[rng.next() % n] += static_cast<float>(12 * rng.uniform());
    return out;
}

std::vector<Window> some_windows() {
    std::vector<Window> out(2);
    for (int w = 0; w < 2; ++w) {
        for (int i = 0; i < 8; ++i) out[static_cast<std::size_t>(w)].ids.push_back(10 * w + i);
        out[static_cast<std::size_t>(w)].positions = {4, 5, 6};
    }
    return out;
}

constexpr int kVocab = 5000;

std::string some_file() {
    std::string out = base_header("a base", kVocab, some_windows());
    std::uint64_t seed = 0;
    for (const Window& window : some_windows())
        for (const int position : window.positions)
            append_base_row(some_logits(++seed, kVocab),
                            window.ids[static_cast<std::size_t>(position) + 1], out);
    return out;
}

TEST(BaseLogits, GiveTheDivergencesThatTheBaseGives) {
    const std::string file = some_file();
    auto base = BaseLogits::parse(as_bytes(file));
    ASSERT_TRUE(base) << base.error().what;
    EXPECT_EQ(base->model(), "a base");
    EXPECT_EQ(base->n_vocab(), kVocab);
    ASSERT_EQ(base->windows().size(), 2U);
    EXPECT_EQ(base->windows()[1].ids, some_windows()[1].ids);
    EXPECT_EQ(base->windows()[1].positions, some_windows()[1].positions);
    Divergence exact;
    Divergence saved;
    std::vector<float> row;
    std::uint64_t seed = 0;
    for (const Window& window : base->windows())
        for (const int position : window.positions) {
            const auto logits = some_logits(++seed, kVocab);
            auto other = logits;
            Rng rng(seed);
            for (float& x : other) x += static_cast<float>(0.3 * (rng.uniform() - 0.5));
            const auto next = window.ids[static_cast<std::size_t>(position) + 1];
            ASSERT_TRUE(base->next(row));
            exact.add(compare(logits, other, next));
            saved.add(compare(row, other, next));
        }
    EXPECT_GT(exact.kl().value, 0.001);
    EXPECT_NEAR(saved.kl().value, exact.kl().value, 0.01 * exact.kl().value);
    EXPECT_NEAR(saved.base_perplexity().value, exact.base_perplexity().value,
                1e-3 * exact.base_perplexity().value);
    EXPECT_EQ(saved.same_top().value, exact.same_top().value);
    EXPECT_FALSE(base->next(row));             // that was the last
    EXPECT_LT(file.size(), 6 * kVocab * 1.5);  // little more than a byte for each logit
}

TEST(BaseLogits, HoldWhatIsNoNumberOrInfinitelyUnlikely) {
    std::vector<float> logits(100, 1);
    logits[3] = -INFINITY;
    std::string file = base_header("", 100, some_windows());
    for (int i = 0; i < 6; ++i) append_base_row(logits, 3, file);
    auto base = BaseLogits::parse(as_bytes(file));
    ASSERT_TRUE(base);
    std::vector<float> row;
    ASSERT_TRUE(base->next(row));
    EXPECT_LT(row[3], -25);
    EXPECT_NEAR(row[4], std::log(1.0 / 99), 1e-4);
    logits[5] = NAN;
    std::string bad;
    append_base_row(logits, 3, bad);
    EXPECT_GT(bad.size(), 100U);
}

TEST(BaseLogits, EveryCutAndWrongByteIsRefusedOrHarmless) {
    const std::string good = some_file().substr(0, 2000);
    EXPECT_THAT(BaseLogits::parse(as_bytes(good)).error().what, HasSubstr("cut off"));
    std::string small = base_header("b", 20, some_windows());
    for (int i = 0; i < 6; ++i) append_base_row(some_logits(1, 20), 1, small);
    const auto read_all = [](const std::string& bytes) {
        auto base = BaseLogits::parse(as_bytes(bytes));
        std::vector<float> row;
        int rows = 0;
        while (base && base->next(row)) ++rows;
        return rows;
    };
    EXPECT_EQ(read_all(small), 6);
    for (std::size_t n = 0; n < small.size(); ++n) EXPECT_LT(read_all(small.substr(0, n)), 6) << n;
    for (std::size_t i = 0; i < small.size(); ++i)
        for (const char byte : {'\xff', '\x7f', '\0'}) {
            std::string bad = small;
            bad[i] = byte;
            EXPECT_LE(read_all(bad), 1000);
        }
}

}  // namespace
}  // namespace heft::eval
