// Least-squares fits of a scale (and an offset) to a group of weights. Each tries scales around the
// one that the greatest weight gives, then around the best of those. Weighted error: sum of
// w (x - fit)^2. All are total: non-finite input gives some fit.
#pragma once

#include "tensor/quant/encoding.h"

namespace heft::quant {

inline constexpr int kMostInGroup = 32;

// x ~ scale * q - minimum, q of 0 … top; neither is negative.
struct AffineFit {
    float scale = 0;
    float minimum = 0;
};
AffineFit fit_affine(const float* x, const float* w, int n, int top, SumLevels sum);

// x ~ scale * q, q of low … -low - 1; the scale may be negative. `squares` is the sum of w q^2,
// which is what an error of the scale does.
struct SymmetricFit {
    float scale = 0;
    float squares = 0;
};
SymmetricFit fit_symmetric(const float* x, const float* w, int n, int low, SumLevels sum);

// The importances of n weights that lie together: `given` (may be nullptr) times how great a weight
// is, for great ones do more: sqrt(means * mean of squares + x^2).
void weigh(const float* x, const float* given, int n, float* w, float means = 1);

// The least-squares factor f of f * y ~ x, from sum w x y and sum w y y; `usual` where there is
// none that is finite.
inline float factor_or(float usual, float xy, float yy) {
    const float factor = yy > 0 ? xy / yy : usual;
    const bool finite = factor - factor == 0;
    return finite && factor != 0 ? factor : usual;
}

}  // namespace heft::quant
