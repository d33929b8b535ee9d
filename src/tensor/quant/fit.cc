#include "tensor/quant/fit.h"

#include <algorithm>
#include <cmath>

namespace heft::quant {

namespace {

// What a group sums to whatever its levels.
struct GroupSums {
    float w = 0;
    float x = 0;  // w x
};

struct Tried {
    AffineFit fit;
    float gain = 0;  // by how much the weighted error is less than that of all zeros
};

// Fits scale and offset to each of the 16 tries, keeps what gains most. A try that cannot be fitted
// gains nothing. Without branches, so that the loop becomes one of vectors.
void keep_best(const LevelSums& sums, const GroupSums& group, Tried& best) {
    float scales[kTries];
    float offsets[kTries];
    float gains[kTries];
    for (int t = 0; t < kTries; ++t) {
        const float l = sums.l[t];
        const float ll = sums.ll[t];
        const float xl = sums.xl[t];
        const float determinant = group.w * ll - l * l;
        const float free_offset = (ll * group.x - l * xl) / determinant;
        const float free_scale = (group.w * xl - group.x * l) / determinant;
        const bool above = free_offset > 0;
        const float offset = above ? 0 : free_offset;
        const float scale = above ? xl / ll : free_scale;
        const float gain = scale * xl + offset * group.x;
        scales[t] = scale;
        offsets[t] = offset;
        gains[t] = determinant > 0 ? gain : 0;
    }
    for (int t = 0; t < kTries; ++t)
        if (scales[t] > 0 && gains[t] > best.gain) best = {{scales[t], -offsets[t]}, gains[t]};
}

void keep_best(const LevelSums& sums, SymmetricFit& fit, float& best) {
    float scales[kTries];
    float gains[kTries];
    for (int t = 0; t < kTries; ++t) {
        scales[t] = sums.xl[t] / sums.ll[t];
        gains[t] = scales[t] * sums.xl[t];
    }
    for (int t = 0; t < kTries; ++t) {
        if (!(gains[t] > best)) continue;
        best = gains[t];
        fit = {scales[t], sums.ll[t]};
    }
}

// The second round: up to two levels more or fewer than the best of the first.
float around(int t, float levels) {
    return 1 + (static_cast<float>(t) - 7) * 0.3F / levels;
}

}  // namespace

AffineFit fit_affine(const float* x, const float* w, int n, int top, SumLevels sum) {
    float least = 0;
    float most = 0;
    GroupSums group;
    for (int i = 0; i < n; ++i) {
        least = std::min(least, x[i]);
        most = std::max(most, x[i]);
        group.w += w[i];
        group.x += w[i] * x[i];
    }
    const float range = most - least;
    if (!(range > 0)) return {};
    const auto levels = static_cast<float>(top);
    // From one level fewer than there are to two more, so that the ends may be cut off; of the
    // lower end a little at once. Where one weight is far from the others, these share two levels,
    // and it matters where between them they lie.
    Tried best{{range / levels, -least}, 0};
    LevelQuery query{x, w, n, 0, 0, levels, {}};
    LevelSums sums;
    for (int t = 0; t < kTries; ++t)
        query.inverse[t] = (levels - 1 + 0.2F * static_cast<float>(t)) / range;
    for (const float cut : {0.25F, -0.25F}) {
        query.offset = least + cut * range / levels;
        sum(query, sums);
        keep_best(sums, group, best);
    }
    // Again around it, from the offset that it found.
    query.offset = -best.fit.minimum;
    const float inverse = 1 / best.fit.scale;
    for (int t = 0; t < kTries; ++t) query.inverse[t] = inverse * around(t, levels);
    sum(query, sums);
    keep_best(sums, group, best);
    return best.fit;
}

SymmetricFit fit_symmetric(const float* x, const float* w, int n, int low, SumLevels sum) {
    float peak = 0;
    for (int i = 0; i < n; ++i)
        if (std::fabs(x[i]) > std::fabs(peak)) peak = x[i];
    if (peak == 0) return {};
    const auto levels = static_cast<float>(-low);
    LevelQuery query{x, w, n, 0, -levels, levels - 1, {}};
    LevelSums sums;
    SymmetricFit fit{-peak / levels, 0};
    float gain = 0;
    // The side that has a level more is that of the peak, or the other: a peak of little importance
    // may be cut off.
    for (int t = 0; t < kTries; ++t) {
        const float cut = (levels - 1 + 0.175F * static_cast<float>(t - t % 2)) / peak;
        query.inverse[t] = t % 2 == 0 ? -cut : cut;
    }
    sum(query, sums);
    keep_best(sums, fit, gain);
    const float inverse = 1 / fit.scale;
    for (int t = 0; t < kTries; ++t) query.inverse[t] = inverse * around(t, levels);
    sum(query, sums);
    keep_best(sums, fit, gain);
    return fit;
}

void weigh(const float* x, const float* given, int n, float* w, float means) {
    float squares = 0;
    for (int i = 0; i < n; ++i) squares += x[i] * x[i];
    const float share = means * squares / static_cast<float>(n);
    for (int i = 0; i < n; ++i) {
        const float own = std::sqrt(share + x[i] * x[i]);
        w[i] = given != nullptr ? given[i] * own : own;
    }
}

}  // namespace heft::quant
