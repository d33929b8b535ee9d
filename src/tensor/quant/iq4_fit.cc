#include "tensor/quant/iq4_fit.h"

#include "tensor/quant/blocks.h"
#include "tensor/quant/iq4_nl.h"

namespace heft::quant {

namespace {

constexpr int kTriesAtOnce = 16;

struct Sums {
    float xl[kTriesAtOnce] = {};  // w x level
    float ll[kTriesAtOnce] = {};  // w level level
};

constexpr float middle(int i) {  // between levels i and i + 1
    return 0.5F * static_cast<float>(iq4_nl::kLevels[i] + iq4_nl::kLevels[i + 1]);
}

struct Steps {
    float from[15] = {};
    float by[15] = {};
};
constexpr Steps steps() {
    Steps out;
    for (int i = 0; i < 15; ++i) {
        out.from[i] = middle(i);
        out.by[i] = static_cast<float>(iq4_nl::kLevels[i + 1] - iq4_nl::kLevels[i]);
    }
    return out;
}
constexpr Steps kSteps = steps();

// Lanes are tries; a level is the lowest and all the steps up that the value has passed.
Sums sums_of(const float* x, const float* w, int n, const float* inverse) {
    Sums sums;
    for (int i = 0; i < n; ++i) {
        float level[kTriesAtOnce];
        float value[kTriesAtOnce];
        for (int t = 0; t < kTriesAtOnce; ++t) {
            value[t] = x[i] * inverse[t];
            level[t] = static_cast<float>(iq4_nl::kLevels[0]);
        }
        for (int s = 0; s < 15; ++s)
            for (int t = 0; t < kTriesAtOnce; ++t)
                level[t] += value[t] > kSteps.from[s] ? kSteps.by[s] : 0.0F;
        const float wx = w[i] * x[i];
        for (int t = 0; t < kTriesAtOnce; ++t) {
            sums.xl[t] += wx * level[t];
            sums.ll[t] += w[i] * level[t] * level[t];
        }
    }
    return sums;
}

struct Best {
    float scale = 0;
    float gain = 0;
};

void keep_best(const Sums& sums, Best& best) {
    for (int t = 0; t < kTriesAtOnce; ++t) {
        const float gain = sums.xl[t] * sums.xl[t] / sums.ll[t];
        if (gain > best.gain) best = {sums.xl[t] / sums.ll[t], gain};
    }
}

}  // namespace

int iq4_level(float value) {
    int index = 0;
    for (const float from : kSteps.from) index += value > from ? 1 : 0;
    return index;
}

float fit_iq4(const float* x, const float* w, int n) {
    const float peak = peak_of(x, n);
    if (peak == 0) return 0;
    Best best{peak / static_cast<float>(iq4_nl::kLevels[0]), 0};
    float inverses[kTriesAtOnce];
    for (const std::int8_t end : {iq4_nl::kLevels[0], iq4_nl::kLevels[15]}) {
        // From a tenth less than the end to a quarter more.
        for (int t = 0; t < kTriesAtOnce; ++t)
            inverses[t] = static_cast<float>(end) * (0.9F + static_cast<float>(t) * 0.023F) / peak;
        keep_best(sums_of(x, w, n, inverses), best);
    }
    const float inv = 1 / best.scale;
    for (int t = 0; t < kTriesAtOnce; ++t)
        inverses[t] = inv * (1 + (static_cast<float>(t) - 7) * 0.003F);
    keep_best(sums_of(x, w, n, inverses), best);
    return best.scale;
}

}  // namespace heft::quant
