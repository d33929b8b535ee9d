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

void keep_best(const LevelSums& sums, float& scale, float& best) {
    float scales[kTries];
    float gains[kTries];
    for (int t = 0; t < kTries; ++t) {
        scales[t] = sums.xl[t] / sums.ll[t];
        gains[t] = sums.xl[t] * sums.xl[t] / sums.ll[t];
    }
    for (int t = 0; t < kTries; ++t) {
        if (!(gains[t] > best)) continue;
        best = gains[t];
        scale = scales[t];
    }
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
    LevelQuery query{x, w, n, least, 0, levels, {}};
    LevelSums sums;
    // From one level fewer than there are to one more, so that the ends may be cut off.
    constexpr float kStep = 0.125F;
    for (int t = 0; t < kTries; ++t)
        query.inverse[t] = (levels - 1 + kStep * static_cast<float>(t)) / range;
    sum(query, sums);
    Tried best{{range / levels, -least}, 0};
    keep_best(sums, group, best);
    // Again around it, from the offset that it found.
    query.offset = -best.fit.minimum;
    const float inverse = 1 / best.fit.scale;
    for (int t = 0; t < kTries; ++t)
        query.inverse[t] = inverse * (1 + (static_cast<float>(t) - 7) * 0.07F / levels);
    sum(query, sums);
    keep_best(sums, group, best);
    return best.fit;
}

float fit_symmetric(const float* x, const float* w, int n, int low, SumLevels sum) {
    float peak = 0;
    for (int i = 0; i < n; ++i)
        if (std::fabs(x[i]) > std::fabs(peak)) peak = x[i];
    if (peak == 0) return 0;
    const auto least = static_cast<float>(low);
    LevelQuery query{x, w, n, 0, least, -least - 1, {}};
    LevelSums sums;
    float scale = peak / least;
    float gain = 0;
    constexpr float kStep = 0.125F;
    for (int t = 0; t < kTries; ++t)
        query.inverse[t] = (least + 1 - kStep * static_cast<float>(t)) / peak;
    sum(query, sums);
    keep_best(sums, scale, gain);
    const float inverse = 1 / scale;
    for (int t = 0; t < kTries; ++t)
        query.inverse[t] = inverse * (1 + (static_cast<float>(t) - 7) * 0.07F / -least);
    sum(query, sums);
    keep_best(sums, scale, gain);
    return scale;
}

void weigh(const float* x, const float* given, int n, float* w) {
    float squares = 0;
    for (int i = 0; i < n; ++i) squares += x[i] * x[i];
    const float mean = squares / static_cast<float>(n);
    for (int i = 0; i < n; ++i) {
        const float own = std::sqrt(mean + x[i] * x[i]);
        w[i] = given != nullptr ? given[i] * own : own;
    }
}

}  // namespace heft::quant
