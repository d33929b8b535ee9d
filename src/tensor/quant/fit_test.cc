#include "tensor/quant/fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace heft::quant {
namespace {

constexpr int kN = 32;

struct Group {
    float x[kN];
    float w[kN];

    // Weighted error of the nearest levels.
    double error(double scale, double minimum, int top) const {
        double sum = 0;
        for (int i = 0; i < kN; ++i) {
            const double level =
                std::clamp(std::nearbyint((x[i] + minimum) / scale), 0.0, static_cast<double>(top));
            const double off = x[i] - (scale * level - minimum);
            sum += w[i] * off * off;
        }
        return sum;
    }

    // Of a fine grid of scales and minima, before any is fitted.
    double least_error(int top) const {
        const auto [least, most] = std::minmax_element(x, x + kN);
        const double step = static_cast<double>(*most - *least) / top;
        double best = std::numeric_limits<double>::infinity();
        for (int s = -20; s <= 20; ++s)
            for (int m = -60; m <= 60; ++m)
                best = std::min(best, error(step * (1 + 0.005 * s),
                                            std::max(0.0, -*least + step * 0.02 * m), top));
        return best;
    }
};

// Numbers as of the normal distribution, and for `far` one that is 30 times as great.
Group random_group(Rng& rng, bool far) {
    Group group;
    for (float& x : group.x) {
        double sum = 0;
        for (int i = 0; i < 12; ++i) sum += rng.uniform() - 0.5;
        x = static_cast<float>(sum);
    }
    if (far) group.x[rng.next() % kN] = static_cast<float>(25 + 10 * rng.uniform());
    weigh(group.x, nullptr, kN, group.w);
    return group;
}

// A weight far from the others leaves them two or three levels, so that it matters where between
// these they lie.
TEST(FitAffine, IsNearTheBestOfManyScalesAndMinima) {
    Rng rng(5);
    for (const bool far : {false, true}) {
        double found = 0;
        double best = 0;
        for (int i = 0; i < 100; ++i) {
            const Group group = random_group(rng, far);
            const AffineFit fit = fit_affine(group.x, group.w, kN, 15, sum_levels);
            found += group.error(fit.scale, fit.minimum, 15);
            best += group.least_error(15);
        }
        EXPECT_LE(found, 1.03 * best) << far;
    }
}

}  // namespace
}  // namespace heft::quant
