#include "merge/combine.h"

#include <cmath>

namespace heft::merge {

namespace {

// Several sums side by side, added up at the end: as exact as one, and not bound by its latency.
double inner(const float* a, const float* b, const float* base, std::size_t n) {
    constexpr std::size_t kLanes = 8;
    double sums[kLanes] = {};
    const auto term = [&](std::size_t i) {
        const double origin = base != nullptr ? base[i] : 0.0;
        return (a[i] - origin) * (b[i] - origin);
    };
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
    for (; i < n; ++i) sums[0] += term(i);
    double sum = 0;
    for (const double lane : sums) sum += lane;
    return sum;
}

}  // namespace

double Gram::norm(std::size_t i) const {
    return std::sqrt(dot(i, i));
}

void Gram::add(const Gram& more) {
    if (n_ == 0) *this = Gram(more.n_);
    for (std::size_t i = 0; i < dots_.size(); ++i) dots_[i] += more.dots_[i];
}

double Gram::dot_with(const std::vector<double>& factors, std::size_t i) const {
    double sum = 0;
    for (std::size_t j = 0; j < n_; ++j) sum += factors[j] * dot(j, i);
    return sum;
}

double Gram::norm_of(const std::vector<double>& factors) const {
    double sum = 0;
    for (std::size_t i = 0; i < n_; ++i) sum += factors[i] * dot_with(factors, i);
    return std::sqrt(std::max(sum, 0.0));
}

Gram gram_of(const Block& block, std::size_t first, std::size_t count) {
    const std::size_t n = block.models.size();
    Gram gram(n);
    const float* base = block.base != nullptr ? block.base + first : nullptr;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i; j < n; ++j) {
            const double sum = inner(block.models[i] + first, block.models[j] + first, base, count);
            gram.at(i, j) = sum;
            gram.at(j, i) = sum;
        }
    return gram;
}

void add_up(const Block& block, const Factors& factors, std::size_t first, std::size_t count,
            float* to) {
    std::vector<double> sums(count);
    double rest = 1;
    for (const double factor : factors) rest -= factor;
    if (block.base != nullptr)
        for (std::size_t i = 0; i < count; ++i) sums[i] = rest * block.base[first + i];
    for (std::size_t m = 0; m < factors.size(); ++m) {
        const float* model = block.models[m] + first;
        const double factor = factors[m];
        // A model without weight is left out, even where it holds infinities.
        if (factor != 0)
            for (std::size_t i = 0; i < count; ++i) sums[i] += factor * model[i];
    }
    for (std::size_t i = 0; i < count; ++i) to[first + i] = static_cast<float>(sums[i]);
}

Rule combine(Factors factors) {
    return [factors = std::move(factors)](const Block& block, float* to) {
        add_up(block, factors, 0, block.size(), to);
    };
}

Rule combine_rows(FactorsOf factors_of) {
    return [factors_of = std::move(factors_of)](const Block& block, float* to) {
        const auto columns = static_cast<std::size_t>(block.n_columns);
        for (std::size_t first = 0; first < block.size(); first += columns)
            add_up(block, factors_of(gram_of(block, first, columns)), first, columns, to);
    };
}

Result<Rule> combine_whole(const Inputs& inputs, Scanner& scanner, const FactorsOf& factors_of) {
    Gram gram(inputs.models.size());
    HEFT_OK(scanner.fold<Gram>(
        inputs, [](const Block& block) { return gram_of(block, 0, block.size()); },
        [&gram](const Gram& part) { gram.add(part); }));
    return combine(factors_of(gram));
}

}  // namespace heft::merge
