#include "tensor/quant/codebook.h"

#include <algorithm>
#include <numeric>

#include "tensor/quant/blocks.h"
#include "tensor/quant/grids.h"

namespace heft::quant {

namespace {

constexpr std::size_t kNear = 24;  // entries listed for each way to round

// Four numbers, which compilers know how to add on every machine.
using Four = float __attribute__((vector_size(16)));

float total(Four v) {
    return (v[0] + v[2]) + (v[1] + v[3]);
}

}  // namespace

Codebook::Codebook(std::span<const std::uint16_t> entries, int width, int bits,
                   std::span<const int> levels)
    : width_(width), n_entries_(entries.size()), levels_(levels.begin(), levels.end()) {
    for (std::size_t i = 0; i + 1 < levels_.size(); ++i)
        middles_.push_back(0.5F * (levels_[i] + levels_[i + 1]));
    for (const std::uint16_t entry : entries)
        for (int j = 0; j < width; ++j)
            values_.push_back(levels_[entry >> (bits * j) & ((1U << bits) - 1)]);
    list_near();
}

void Codebook::list_near() {
    const auto width = static_cast<std::size_t>(width_);
    const std::size_t n_levels = levels_.size();
    std::size_t n_codes = 1;
    for (std::size_t j = 0; j < width; ++j) n_codes *= n_levels;
    near_.reserve(n_codes * kNear);
    std::vector<float> distance(n_entries_);
    std::vector<std::uint16_t> order(n_entries_);
    for (std::size_t code = 0; code < n_codes; ++code) {
        std::fill(distance.begin(), distance.end(), 0.0F);
        for (std::size_t j = 0, left = code; j < width; ++j, left /= n_levels) {
            const float level = levels_[left % n_levels];
            for (std::size_t e = 0; e < n_entries_; ++e) {
                const float off = values_[e * width + j] - level;
                distance[e] += off * off;
            }
        }
        std::iota(order.begin(), order.end(), std::uint16_t{0});
        std::partial_sort(order.begin(), order.begin() + kNear, order.end(),
                          [&distance](std::uint16_t a, std::uint16_t b) {
                              return distance[a] < distance[b]
                                     || (distance[a] == distance[b] && a < b);
                          });
        near_.insert(near_.end(), order.begin(), order.begin() + kNear);
    }
}

std::size_t Codebook::rounded(const float* x, float inverse, float offset) const {
    std::size_t code = 0;
    for (int j = width_ - 1; j >= 0; --j) {
        const float value = x[j] * inverse - offset;
        std::size_t level = 0;
        for (const float middle : middles_) level += value > middle ? 1 : 0;
        code = code * levels_.size() + level;
    }
    return code;
}

Codebook::Match Codebook::match(const float* x, const float* w, float scale, float offset) const {
    const std::size_t code = rounded(x, inverse(scale), offset);
    const auto width = static_cast<std::size_t>(width_);
    Match best;
    best.error = INFINITY;
    for (std::size_t k = 0; k < kNear; ++k) {
        const std::uint16_t entry = near_[code * kNear + k];
        const float* y = values_.data() + entry * width;
        Four error = {};
        Four xy = {};
        Four yy = {};
        for (std::size_t j = 0; j < width; j += 4) {
            const Four level = load<Four>(y + j) + offset;
            const auto weight = load<Four>(w + j);
            const auto value = load<Four>(x + j);
            const Four off = value - scale * level;
            const Four weighted = weight * level;
            error += weight * off * off;
            xy += weighted * value;
            yy += weighted * level;
        }
        const float sum = total(error);
        if (!(sum < best.error)) continue;
        best = {entry, sum, total(xy), total(yy)};
    }
    return best;
}

const Codebook& Codebook::iq1() {
    static const Codebook kBook(grids::kIq1, 8, 2, grids::kIq1Levels);
    return kBook;
}
const Codebook& Codebook::iq2_xxs() {
    static const Codebook kBook(grids::kIq2Xxs, 8, 2, grids::kIq2Levels);
    return kBook;
}
const Codebook& Codebook::iq2_xs() {
    static const Codebook kBook(grids::kIq2Xs, 8, 2, grids::kIq2Levels);
    return kBook;
}
const Codebook& Codebook::iq2_s() {
    static const Codebook kBook(grids::kIq2S, 8, 2, grids::kIq2Levels);
    return kBook;
}
const Codebook& Codebook::iq3_xxs() {
    static const Codebook kBook(grids::kIq3Xxs, 4, 3, grids::kIq3XxsLevels);
    return kBook;
}
const Codebook& Codebook::iq3_s() {
    static const Codebook kBook(grids::kIq3S, 4, 3, grids::kIq3SLevels);
    return kBook;
}

}  // namespace heft::quant
