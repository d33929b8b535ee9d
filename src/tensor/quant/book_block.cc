#include "tensor/quant/book_block.h"

#include <algorithm>
#include <bit>

#include "tensor/quant/blocks.h"
#include "tensor/quant/fit.h"

namespace heft::quant {

namespace {

constexpr int kWeights = 256;
constexpr int kTriedScales = 12;

struct Sums {
    float error = 0, xy = 0, yy = 0;
    void add(const Codebook::Match& match) {
        error += match.error;
        xy += match.xy;
        yy += match.yy;
    }
    float gain() const { return xy > 0 ? xy * xy / yy : 0; }
};

class BookEncoder {
  public:
    BookEncoder(const float* x, const BookShape& shape) : shape_(shape) {
        std::copy(x, x + kWeights, x_);
    }

    BookBlock run(const float* importance) {
        float fits[16];
        float most = 0;
        for (int at = 0; at < kWeights; at += 32)
            weigh(x_ + at, importance_at(importance, at), 32, w_ + at);
        if (shape_.signs != Signs::in_levels) take_signs();
        for (int g = 0; g < n_groups(); ++g) {
            fits[g] = fit(g);
            most = std::max(most, fits[g]);
        }
        const auto steps = static_cast<float>(2 * shape_.scale_top + 1);
        block_.d = to_f16(most / steps * shape_.d_units);
        for (int g = 0; g < n_groups(); ++g) choose(g, fits[g]);
        const Sums sums = put_all(block_);
        BookBlock again = block_;
        again.d = to_f16(factor_or(unit(block_), sums.xy, sums.yy) * shape_.d_units);
        if (put_all(again).error < sums.error) block_ = again;
        return block_;
    }

  private:
    int n_groups() const { return kWeights / shape_.group; }
    float unit(const BookBlock& block) const { return from_f16(block.d) / shape_.d_units; }

    // Leaves magnitudes. Where only an even number of minuses can be stored, the weight that loses
    // least by it changes its sign.
    void take_signs() {
        for (int v = 0; v < kWeights / 8; ++v) {
            float* x = x_ + 8 * v;
            const float* w = w_ + 8 * v;
            unsigned signs = 0;
            int cheapest = 0;
            for (int j = 0; j < 8; ++j) {
                if (x[j] < 0) signs |= 1U << j;
                x[j] = std::fabs(x[j]);
                if (w[j] * x[j] * x[j] < w[cheapest] * x[cheapest] * x[cheapest]) cheapest = j;
            }
            if (shape_.signs == Signs::even && std::popcount(signs) % 2 != 0) {
                signs ^= 1U << cheapest;
                x[cheapest] = -x[cheapest];
            }
            block_.signs[v] = static_cast<std::uint8_t>(signs);
        }
    }

    // Entries for so many weights from `at` on, with either offset; `block` may be nullptr.
    Sums put(int at, int n, float scale, float offset, BookBlock* block) const {
        const int width = shape_.book->width();
        Sums sums;
        for (int i = at; i < at + n; i += width) {
            const auto match = shape_.book->match(x_ + i, w_ + i, scale, offset);
            sums.add(match);
            if (block == nullptr) continue;
            block->entry[i / width] = static_cast<std::uint16_t>(match.entry);
            block->minus_offset[i / width] = offset < 0;
        }
        return sums;
    }

    Sums put_group(int g, float scale, BookBlock* block) const {
        const float offset = shape_.offset.size;
        if (offset == 0) return put(g * shape_.group, shape_.group, scale, 0, block);
        Sums sums;
        for (int i = 0; i < shape_.group; i += shape_.offset.weights) {
            const int at = g * shape_.group + i;
            const Sums plus = put(at, shape_.offset.weights, scale, offset, block);
            const Sums minus = put(at, shape_.offset.weights, scale, -offset, nullptr);
            const bool is_plus = plus.error <= minus.error;
            if (!is_plus && block != nullptr) put(at, shape_.offset.weights, scale, -offset, block);
            const Sums& better = is_plus ? plus : minus;
            sums.error += better.error;
            sums.xy += better.xy;
            sums.yy += better.yy;
        }
        return sums;
    }

    Sums put_all(BookBlock& block) const {
        Sums sums;  // of the unit: y is (2 s + 1) * (level + offset)
        for (int g = 0; g < n_groups(); ++g) {
            const auto factor = static_cast<float>(2 * block.scale[g] + 1);
            const Sums one = put_group(g, unit(block) * factor, &block);
            sums.error += one.error;
            sums.xy += factor * one.xy;
            sums.yy += factor * factor * one.yy;
        }
        return sums;
    }

    float fit(int g) const {
        const float peak = greatest(x_ + g * shape_.group, shape_.group);
        if (!(peak > 0)) return 0;
        const float least = peak / shape_.book->top();
        float best = least;
        float gain = 0;
        for (int t = 0; t < kTriedScales; ++t) {
            const float at = shape_.from
                             + (shape_.to - shape_.from) * static_cast<float>(t)
                                   / static_cast<float>(kTriedScales - 1);
            const Sums sums = put_group(g, least / at, nullptr);
            if (!(sums.gain() > gain)) continue;
            gain = sums.gain();
            best = sums.xy / sums.yy;
        }
        return best;
    }

    // The scale whose entries are nearest, of the three around the fitted one.
    void choose(int g, float fitted) {
        const float units = fitted * inverse(unit(block_));
        const int near = nearest(0.5F * (units - 1), 0, shape_.scale_top);
        float least = INFINITY;
        block_.scale[g] = static_cast<std::uint8_t>(near);
        for (int s = std::max(near - 1, 0); s <= std::min(near + 1, shape_.scale_top); ++s) {
            const float error =
                put_group(g, unit(block_) * static_cast<float>(2 * s + 1), nullptr).error;
            if (!(error < least)) continue;
            least = error;
            block_.scale[g] = static_cast<std::uint8_t>(s);
        }
    }

    BookShape shape_;
    float x_[kWeights];
    float w_[kWeights] = {};
    BookBlock block_;
};

}  // namespace

BookBlock encode_book(const float* x, const float* importance, const BookShape& shape) {
    return BookEncoder(x, shape).run(importance);
}

}  // namespace heft::quant
