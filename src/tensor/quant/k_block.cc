#include "tensor/quant/k_block.h"

#include <algorithm>
#include <cmath>

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"

namespace heft::quant {

namespace {

// As `nearest`, for the loops over all weights: to even, NaN to the lowest.
int level_of(float value, float low, float high) {
    constexpr float kShifter = 12582912.0F;
    value = value + kShifter - kShifter;
    value = value > low ? value : low;
    value = value < high ? value : high;
    return static_cast<int>(value);
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
        const int minimum = nearest(fit.minimum * inverse(dmin), 0, top);
        block_.scale[g] = static_cast<std::uint8_t>(scale);
        block_.minimum[g] = static_cast<std::uint8_t>(minimum);
        float weights = 0;
        float weighted = 0;
        for (int i = g * shape_.group; i < (g + 1) * shape_.group; ++i) {
            weights += w_[i];
            weighted += w_[i] * x_[i];
        }
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
            for (int t = 0; t < kTries && first + t <= top; ++t) {
                const float s = d * static_cast<float>(first + t);
                const float wanted = (s * sums.l[t] - weighted) / weights;
                const int m = nearest(wanted * inverse(dmin), 0, top);
                const float offset = dmin * static_cast<float>(m);
                const float error = s * s * sums.ll[t] - 2 * s * offset * sums.l[t]
                                    + offset * offset * weights
                                    - 2 * (s * sums.xl[t] - offset * weighted);
                if (!(error < least)) continue;
                least = error;
                block_.scale[g] = static_cast<std::uint8_t>(first + t);
                block_.minimum[g] = static_cast<std::uint8_t>(m);
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
        float error = 0;
        for (int i = g * shape_.group; i < (g + 1) * shape_.group; ++i) {
            const int level = level_of((x_[i] + minimum) * inv, 0, top);
            block.level[i] = static_cast<std::uint8_t>(level);
            const float off = x_[i] - (scale * static_cast<float>(level) - minimum);
            error += w_[i] * off * off;
        }
        return error;
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
            const float b = -static_cast<float>(block_.minimum[g]);
            for (int i = g * shape_.group; i < (g + 1) * shape_.group; ++i) {
                const float a =
                    static_cast<float>(block_.scale[g]) * static_cast<float>(block_.level[i]);
                aa += w_[i] * a * a;
                ab += w_[i] * a * b;
                bb += w_[i] * b * b;
                xa += w_[i] * x_[i] * a;
                xb += w_[i] * x_[i] * b;
            }
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
        float fits[kMostGroups] = {};
        float peak = 0;
        weigh(x_, importance, kBlock, w_);
        for (int g = 0; g < n_groups(); ++g) {
            const int at = g * shape_.group;
            fits[g] = fit_symmetric(x_ + at, w_ + at, shape_.group, shape_.low, sum);
            if (std::fabs(fits[g]) > std::fabs(peak)) peak = fits[g];
        }
        block_.d = to_f16(peak / static_cast<float>(shape_.scale_low));
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
        float least = 0;
        for (int t = 0; t < kTries; ++t) {
            const float s = d * static_cast<float>(first + t);
            const float error = s * s * sums.ll[t] - 2 * s * sums.xl[t];
            if (!(error < least)) continue;
            least = error;
            block_.scale[g] = static_cast<std::int8_t>(first + t);
        }
    }

    float put_levels(SymmetricBlock& block) const {
        const auto low = static_cast<float>(shape_.low);
        float error = 0;
        for (int g = 0; g < n_groups(); ++g) {
            const float scale = from_f16(block.d) * static_cast<float>(block.scale[g]);
            const float inv = inverse(scale);
            for (int i = g * shape_.group; i < (g + 1) * shape_.group; ++i) {
                const int level = level_of(x_[i] * inv, low, -low - 1);
                block.level[i] = static_cast<std::int8_t>(level);
                const float off = x_[i] - scale * static_cast<float>(level);
                error += w_[i] * off * off;
            }
        }
        return error;
    }

    void refit(float error) {
        float aa = 0;
        float xa = 0;
        for (int i = 0; i < kBlock; ++i) {
            const int group = i / shape_.group;
            const float a =
                static_cast<float>(block_.scale[group]) * static_cast<float>(block_.level[i]);
            aa += w_[i] * a * a;
            xa += w_[i] * x_[i] * a;
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
