// What measuring weights and mixes needs: the search, and norms of differences.
#include "shape/mix_search.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "shape/spectral.h"

namespace heft::shape {
namespace {

using ::testing::HasSubstr;

// -- the search

// Groups of random sizes and harms, in types of halving size.
struct Made {
    std::vector<SearchGroup> groups;
    std::vector<std::vector<double>> harm;

    Made(int n_groups, int n_options, std::uint64_t seed) {
        Rng rng(seed);
        for (int g = 0; g < n_groups; ++g) {
            SearchGroup& group = groups.emplace_back();
            auto& of_group = harm.emplace_back();
            group.name = "g" + std::to_string(g);
            double size = 1000 + 9000 * rng.uniform();
            double far = 0.001 * rng.uniform();
            for (int o = 0; o < n_options; ++o) {
                group.options.push_back({DType::q8_0, static_cast<std::uint64_t>(size)});
                of_group.push_back(far);
                size *= 0.6 + 0.3 * rng.uniform();
                far *= 1.5 + 4 * rng.uniform();
            }
        }
    }

    // Not quite the sum of what the groups do: they make each other worse.
    double far(const Picks& picks) const {
        double sum = 0;
        for (std::size_t g = 0; g < picks.size(); ++g)
            if (picks[g] != kAsItIs) sum += harm[g][static_cast<std::size_t>(picks[g])];
        return sum * (1 + 0.5 * sum) + 0.02 * sum * std::sin(1e5 * sum);
    }

    MixSearch search() const {
        return MixSearch(groups,
                         [this](const Picks& picks) -> Result<double> { return far(picks); });
    }

    std::uint64_t bytes(const Picks& picks) const { return search().bytes_of(picks); }

    template <class Body>
    void each_mix(const Body& body) const {
        Picks picks(groups.size(), 0);
        for (std::size_t g = 0; g < picks.size();) {
            body(picks);
            for (g = 0; g < picks.size(); ++g) {
                if (++picks[g] < static_cast<int>(groups[g].options.size())) break;
                picks[g] = 0;
            }
        }
    }
};

TEST(MixSearch, FindsAMixThatIsHardlyLargerThanTheSmallestOfAll) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const Made made(5, 4, seed);
        Picks largest(5, 0);
        Picks smallest(5, 3);
        const double least = made.far(largest);
        const double most = made.far(smallest);
        for (const double share : {0.01, 0.1, 0.4}) {
            const double target = least + share * (most - least);
            std::uint64_t best = made.bytes(largest);
            made.each_mix([&](const Picks& picks) {
                if (made.far(picks) <= target) best = std::min(best, made.bytes(picks));
            });
            MixSearch search = made.search();
            ASSERT_TRUE(search.measure_groups());
            const auto found = search.smallest_within(target);
            ASSERT_TRUE(found) << found.error().what;
            EXPECT_LE(made.far(found->picks), target) << seed;
            EXPECT_EQ(made.bytes(found->picks), found->bytes);
            EXPECT_LE(static_cast<double>(found->bytes), 1.1 * static_cast<double>(best)) << seed;
            EXPECT_LT(search.n_measured(), 200) << seed;
        }
    }
}

TEST(MixSearch, FindsAMixThatIsHardlyFartherThanTheNearestOfItsSize) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const Made made(5, 4, seed);
        const auto target = static_cast<std::uint64_t>(
            0.5 * static_cast<double>(made.bytes(Picks(5, 0)) + made.bytes(Picks(5, 3))));
        double best = HUGE_VAL;
        made.each_mix([&](const Picks& picks) {
            if (made.bytes(picks) <= target) best = std::min(best, made.far(picks));
        });
        MixSearch search = made.search();
        ASSERT_TRUE(search.measure_groups());
        const auto found = search.nearest_within(target);
        ASSERT_TRUE(found);
        EXPECT_LE(found->bytes, target);
        EXPECT_LE(found->far, 1.1 * best) << seed;
    }
}

TEST(MixSearch, SaysWhatThereIsWhereNothingWillDo) {
    const Made made(3, 3, 1);
    MixSearch search = made.search();
    ASSERT_TRUE(search.measure_groups());
    EXPECT_THAT(search.smallest_within(1e-9).error().what, HasSubstr("no mix is so near"));
    EXPECT_THAT(search.nearest_within(10).error().what, HasSubstr("no mix is so small"));
}

TEST(MixSearch, EndsWithTheErrorOfAMeasurement) {
    const Made made(2, 2, 1);
    int left = 3;
    MixSearch search(made.groups, [&](const Picks&) -> Result<double> {
        if (left-- == 0) return Error{Code::cancelled, "stopped"};
        return 0.1;
    });
    EXPECT_EQ(search.measure_groups().error().code, Code::cancelled);
}

TEST(MixSearch, TakesWhatIsNoNumberForFar) {
    const Made made(2, 2, 1);
    MixSearch search(made.groups, [](const Picks& picks) -> Result<double> {
        for (const int pick : picks)
            if (pick == 1) return NAN;
        return 0.001;
    });
    ASSERT_TRUE(search.measure_groups());
    EXPECT_EQ(search.smallest_within(0.5)->picks, Picks(2, 0));
}

// -- norms

convert::Weight matrix(Shape shape, std::vector<float> values) {
    convert::Weight out;
    out.name = "m";
    out.n_cols = shape.back();
    out.n_rows = static_cast<std::int64_t>(values.size()) / out.n_cols;
    out.shape = std::move(shape);
    out.read = [values = std::move(values), n = out.n_cols](std::int64_t first, std::int64_t count,
                                                            float* to) {
        std::copy_n(values.begin() + first * n, count * n, to);
    };
    return out;
}

TEST(SpectralNorm, IsTheLargestSingularValueOfTheDifference) {
    ThreadPool pool(2);
    // Diagonal, off by 3, 5 and 1.
    const auto a = matrix({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
    const auto b = matrix({3, 3}, {4, 0, 0, 0, -4, 0, 0, 0, 0});
    EXPECT_NEAR(*spectral_norm_of_difference(a, b, pool), 5, 1e-3);
    EXPECT_EQ(*spectral_norm_of_difference(a, a, pool), 0);
    // Of rank one: the lengths' product. Here (1, 2, 2) times (3, 4).
    const auto zero = matrix({3, 2}, std::vector<float>(6));
    const auto outer = matrix({3, 2}, {3, 4, 6, 8, 6, 8});
    EXPECT_NEAR(*spectral_norm_of_difference(zero, outer, pool), 15, 1e-9);
}

TEST(SpectralNorm, OfStackedMatricesIsThatOfTheWorst) {
    ThreadPool pool(2);
    const auto zero = matrix({2, 2, 2}, std::vector<float>(8));
    const auto stack = matrix({2, 2, 2}, {1, 0, 0, 2, 0, 7, 0, 0});
    EXPECT_NEAR(*spectral_norm_of_difference(zero, stack, pool), 7, 1e-9);
    EXPECT_FALSE(spectral_norm_of_difference(zero, matrix({4, 2}, std::vector<float>(8)), pool));
}

TEST(SpectralNorm, DoesNotDependOnThreadsAndStopsWhenTold) {
    Rng rng(3);
    std::vector<float> values(300 * 40);
    for (float& x : values) x = static_cast<float>(rng.uniform() - 0.5);
    const auto a = matrix({300, 40}, values);
    const auto zero = matrix({300, 40}, std::vector<float>(values.size()));
    ThreadPool one(1);
    ThreadPool two(2);
    const double norm = *spectral_norm_of_difference(a, zero, one);
    EXPECT_EQ(norm, *spectral_norm_of_difference(a, zero, two));
    // Near (sqrt(300) + sqrt(40)) / sqrt(12), by the law of Marchenko and Pastur.
    EXPECT_NEAR(norm, 6.83, 0.35);
    const auto stopped = spectral_norm_of_difference(a, zero, one, [] { return false; });
    EXPECT_EQ(stopped.error().code, Code::cancelled);
}

}  // namespace
}  // namespace heft::shape
