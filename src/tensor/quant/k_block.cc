#include "tensor/quant/k_block.h"

#include <algorithm>
#include <cmath>

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"

namespace heft::quant {

namespace {

// As `nearest`, for the loops over all weights: to even, NaN to the lowest.
float level_of(float value, float low, float high) {
    constexpr float kShifter = 12582912.0F;
    value = value + kShifter - kShifter;
    value = value > low ? value : low;
    return value < high ? value : high;
}

// The sum of term(0) … term(n - 1) in eight lanes, which become vectors; n a multiple of eight.
template <class Term>
float sum_of(int n, Term term) {
    constexpr int kLanes = 8;
    float lanes[kLanes] = {};
    for (int i = 0; i < n; i += kLanes)
        for (int j = 0; j < kLanes; ++j) lanes[j] += term(i + j);
    float sum = 0;
    for (const float lane : lanes) sum += lane;
    return sum;
}

class AffineEncoder {
  public:
    AffineEncoder(const float* x, const AffineShape& shape) : x_(x), shape_(shape) {}

    AffineBlock run(const float* importance, SumLevels sum) {
        AffineFit fits[kMostGroups];
        float scale = 0;
        float minimum = 0;
        weigh(x_, importance, kBlock, w_);
        for (int g = 0; g < n_groups(); ++g) {
            const int at = g * shape_.group;
            fits[g] = fit_affine(x_ + at, w_ + at, shape_.group, shape_.top, sum);
            scale = std::max(scale, fits[g].scale);
            minimum = std::max(minimum, fits[g].minimum);
        }
        const auto top = static_cast<float>(shape_.scale_top);
        set_units(scale / top, minimum / top);
        for (int g = 0; g < n_groups(); ++g) choose(g, fits[g], sum);
        const float error = put_levels(block_);
        refit(error);
        return block_;
    }

  private:
    int n_groups() const { return kBlock / shape_.group; }

    void set_units(float d, float dmin) {
        block_.d = to_f16(d);
        block_.dmin = to_f16(dmin);
    }

    // The pair of least error among scales around the fitted one, each with the minimum that suits
    // its levels.
    void choose(int g, const AffineFit& fit, SumLevels sum) {
        const int top = shape_.scale_top;
        const float d = from_f16(block_.d);
        const float dmin = from_f16(block_.dmin);
        const int scale = nearest(fit.scale * inverse(d), 0, top);
        const float per_dmin = inverse(dmin);
        const int minimum = nearest(fit.minimum * per_dmin, 0, top);
        block_.scale[g] = static_cast<std::uint8_t>(scale);
        block_.minimum[g] = static_cast<std::uint8_t>(minimum);
        const float* x = x_ + g * shape_.group;
        const float* w = w_ + g * shape_.group;
        const float weights = sum_of(shape_.group, [w](int i) { return w[i]; });
        const float weighted = sum_of(shape_.group, [x, w](int i) { return w[i] * x[i]; });
        const int around = top < 16 ? 1 : 0;  // of coarse minima more than one is worth trying
        float least = 0;                      // error less that of all zeros
        for (int from = std::max(minimum - around, 0); from <= std::min(minimum + around, top);
             ++from) {
            LevelQuery query = query_of(g, -dmin * static_cast<float>(from));
            const int first = std::max(scale - kTries / 2, 0);
            for (int t = 0; t < kTries; ++t)
                query.inverse[t] = inverse(d * static_cast<float>(first + t));
            LevelSums sums;
            sum(query, sums);
            float minima[kTries];
            float errors[kTries];
            for (int t = 0; t < kTries; ++t) {
                const float s = d * static_cast<float>(first + t);
                const float wanted = (s * sums.l[t] - weighted) / weights;
                minima[t] = level_of(wanted * per_dmin, 0, static_cast<float>(top));
                const float offset = dmin * minima[t];
                errors[t] = s * s * sums.ll[t] - 2 * s * offset * sums.l[t]
                            + offset * offset * weights - 2 * (s * sums.xl[t] - offset * weighted);
            }
            for (int t = 0; t < kTries && first + t <= top; ++t) {
                if (!(errors[t] < least)) continue;
                least = errors[t];
                block_.scale[g] = static_cast<std::uint8_t>(first + t);
                block_.minimum[g] = static_cast<std::uint8_t>(minima[t]);
            }
        }
    }

    LevelQuery query_of(int g, float offset) const {
        return {x_ + g * shape_.group,
                w_ + g * shape_.group,
                shape_.group,
                offset,
                0,
                static_cast<float>(shape_.top),
                {}};
    }

    // The nearest levels of a group; returns its weighted error.
    float put_group(AffineBlock& block, int g) const {
        const float scale = from_f16(block.d) * static_cast<float>(block.scale[g]);
        const float minimum = from_f16(block.dmin) * static_cast<float>(block.minimum[g]);
        const float inv = inverse(scale);
        const auto top = static_cast<float>(shape_.top);
        const float* x = x_ + g * shape_.group;
        const float* w = w_ + g * shape_.group;
        float level[kMostInGroup];
        for (int i = 0; i < shape_.group; ++i) level[i] = level_of((x[i] + minimum) * inv, 0, top);
        for (int i = 0; i < shape_.group; ++i)
            block.level[g * shape_.group + i] =
                static_cast<std::uint8_t>(static_cast<int>(level[i]));
        return sum_of(shape_.group, [&](int i) {
            const float off = x[i] - (scale * level[i] - minimum);
            return w[i] * off * off;
        });
    }

    float put_levels(AffineBlock& block) const {
        float error = 0;
        for (int g = 0; g < n_groups(); ++g) error += put_group(block, g);
        return error;
    }

    // The two units that are best for the scales, minima and levels found; kept if it helps.
    void refit(float error) {
        float aa = 0, ab = 0, bb = 0, xa = 0, xb = 0;
        for (int g = 0; g < n_groups(); ++g) {
            const int n = shape_.group;
            const float* x = x_ + g * n;
            const float* w = w_ + g * n;
            const auto a = static_cast<float>(block_.scale[g]);
            const float b = -static_cast<float>(block_.minimum[g]);
            float level[kMostInGroup];
            for (int i = 0; i < n; ++i) level[i] = static_cast<float>(block_.level[g * n + i]);
            aa += a * a * sum_of(n, [&](int i) { return w[i] * level[i] * level[i]; });
            ab += a * b * sum_of(n, [&](int i) { return w[i] * level[i]; });
            bb += b * b * sum_of(n, [&](int i) { return w[i]; });
            xa += a * sum_of(n, [&](int i) { return w[i] * x[i] * level[i]; });
            xb += b * sum_of(n, [&](int i) { return w[i] * x[i]; });
        }
        const float determinant = aa * bb - ab * ab;
        AffineBlock tried = block_;
        if (bb > 0 && determinant > 0) {
            tried.d = to_f16((xa * bb - xb * ab) / determinant);
            tried.dmin = to_f16((xb * aa - xa * ab) / determinant);
        } else {
            tried.d = to_f16(factor_or(from_f16(block_.d), xa, aa));
        }
        if (put_levels(tried) < error) block_ = tried;
    }

    const float* x_;
    AffineShape shape_;
    float w_[kBlock] = {};
    AffineBlock block_;
};

class SymmetricEncoder {
  public:
    SymmetricEncoder(const float* x, const SymmetricShape& shape) : x_(x), shape_(shape) {}

    SymmetricBlock run(const float* importance, SumLevels sum) {
        float fits[kMostGroups];
        float squares[kMostGroups];
        // Beside given importances a weight's own size counts less.
        weigh(x_, importance, kBlock, w_, importance != nullptr ? 2 : 1);
        for (int g = 0; g < n_groups(); ++g) {
            const int at = g * shape_.group;
            const auto fit = fit_symmetric(x_ + at, w_ + at, shape_.group, shape_.low, sum);
            fits[g] = fit.scale;
            squares[g] = fit.squares;
        }
        const auto scales = fit_symmetric(fits, squares, n_groups(), shape_.scale_low, sum);
        block_.d = to_f16(scales.scale);
        for (int g = 0; g < n_groups(); ++g) choose(g, fits[g], sum);
        const float error = put_levels(block_);
        refit(error);
        return block_;
    }

  private:
    int n_groups() const { return kBlock / shape_.group; }

    void choose(int g, float fitted, SumLevels sum) {
        const float d = from_f16(block_.d);
        const int low = shape_.scale_low;
        const int scale = nearest(fitted * inverse(d), low, -low - 1);
        block_.scale[g] = static_cast<std::int8_t>(scale);
        const auto least_level = static_cast<float>(shape_.low);
        LevelQuery query{x_ + g * shape_.group,
                         w_ + g * shape_.group,
                         shape_.group,
                         0,
                         least_level,
                         -least_level - 1,
                         {}};
        const int first = std::clamp(scale - kTries / 2, low, -low - kTries);
        for (int t = 0; t < kTries; ++t)
            query.inverse[t] = inverse(d * static_cast<float>(first + t));
        LevelSums sums;
        sum(query, sums);
        float errors[kTries];
        for (int t = 0; t < kTries; ++t) {
            const float s = d * static_cast<float>(first + t);
            errors[t] = s * s * sums.ll[t] - 2 * s * sums.xl[t];
        }
        float least = 0;
        for (int t = 0; t < kTries; ++t) {
            if (!(errors[t] < least)) continue;
            least = errors[t];
            block_.scale[g] = static_cast<std::int8_t>(first + t);
        }
    }

    float put_levels(SymmetricBlock& block) const {
        const auto low = static_cast<float>(shape_.low);
        float error = 0;
        for (int g = 0; g < n_groups(); ++g) {
            const float scale = from_f16(block.d) * static_cast<float>(block.scale[g]);
            const float inv = inverse(scale);
            const float* x = x_ + g * shape_.group;
            const float* w = w_ + g * shape_.group;
            float level[kMostInGroup];
            for (int i = 0; i < shape_.group; ++i) level[i] = level_of(x[i] * inv, low, -low - 1);
            for (int i = 0; i < shape_.group; ++i)
                block.level[g * shape_.group + i] =
                    static_cast<std::int8_t>(static_cast<int>(level[i]));
            error += sum_of(shape_.group, [&](int i) {
                const float off = x[i] - scale * level[i];
                return w[i] * off * off;
            });
        }
        return error;
    }

    void refit(float error) {
        float aa = 0;
        float xa = 0;
        for (int g = 0; g < n_groups(); ++g) {
            const int n = shape_.group;
            const float* x = x_ + g * n;
            const float* w = w_ + g * n;
            const auto a = static_cast<float>(block_.scale[g]);
            float level[kMostInGroup] = {};
            for (int i = 0; i < n; ++i) level[i] = static_cast<float>(block_.level[g * n + i]);
            aa += a * a * sum_of(n, [&](int i) { return w[i] * level[i] * level[i]; });
            xa += a * sum_of(n, [&](int i) { return w[i] * x[i] * level[i]; });
        }
        SymmetricBlock tried = block_;
        tried.d = to_f16(factor_or(from_f16(block_.d), xa, aa));
        if (put_levels(tried) < error) block_ = tried;
    }

    const float* x_;
    SymmetricShape shape_;
    float w_[kBlock] = {};
    SymmetricBlock block_;
};

}  // namespace

AffineBlock encode_affine(const float* x, const float* importance, const AffineShape& shape,
                          SumLevels sum) {
    return AffineEncoder(x, shape).run(importance, sum);
}

SymmetricBlock encode_symmetric(const float* x, const float* importance,
                                const SymmetricShape& shape, SumLevels sum) {
    return SymmetricEncoder(x, shape).run(importance, sum);
}

}  // namespace heft::quant
