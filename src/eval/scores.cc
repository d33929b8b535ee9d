#include "eval/scores.h"

#include <algorithm>
#include <cmath>

#include "kernel/table.h"

namespace heft::eval {

namespace {

// The logarithm of what a row's exponentials sum to.
double log_sum(std::span<const float> logits) {
    const auto [most, sum] =
        kernel::best().softmax_sum(logits.data(), static_cast<std::int64_t>(logits.size()));
    return most + std::log(sum);
}

std::ptrdiff_t likeliest(std::span<const float> row) {
    return std::max_element(row.begin(), row.end()) - row.begin();
}

}  // namespace

void log_softmax(std::span<const float> logits, std::vector<double>& to) {
    to.resize(logits.size());
    const double less = log_sum(logits);
    for (std::size_t i = 0; i < logits.size(); ++i) to[i] = logits[i] - less;
}

double log_probability(std::span<const float> logits, std::int32_t token) {
    return logits[static_cast<std::size_t>(token)] - log_sum(logits);
}

void Mean::add(double x) {
    ++count_;
    const double off = x - mean_;
    mean_ += off / static_cast<double>(count_);
    squares_ += off * (x - mean_);
}

Estimate Mean::estimate() const {
    if (count_ < 2) return {mean_, 0};
    const auto n = static_cast<double>(count_);
    return {mean_, std::sqrt(squares_ / (n - 1) / n)};
}

Estimate Perplexity::estimate() const {
    const Estimate mean = mean_.estimate();
    const double value = std::exp(mean.value);
    return {value, value * mean.error};
}

TokenDivergence compare(std::span<const float> base, std::span<const float> model,
                        std::int32_t token) {
    const double base_sum = log_sum(base);
    const double model_sum = log_sum(model);
    TokenDivergence out;
    for (std::size_t i = 0; i < base.size(); ++i) {
        const double p = base[i] - base_sum;
        const double probability = std::exp(static_cast<float>(p));
        if (probability == 0) continue;  // its logarithm may not be finite
        out.kl += probability * (p - (model[i] - model_sum));
        out.base_entropy -= probability * p;
    }
    out.kl = std::max(out.kl, 0.0);  // rounding
    const auto id = static_cast<std::size_t>(token);
    out.base_log_p = base[id] - base_sum;
    out.model_log_p = model[id] - model_sum;
    out.same_top = likeliest(base) == likeliest(model);
    return out;
}

void Divergence::add(const TokenDivergence& token) {
    kl_.push_back(static_cast<float>(token.kl));
    mean_kl_.add(token.kl);
    same_top_.add(token.same_top ? 1 : 0);
    base_expected_.add(-token.base_entropy);
    expected_.add(-token.base_entropy - token.kl);
    base_.add(token.base_log_p);
    model_.add(token.model_log_p);
    difference_.add(token.base_log_p - token.model_log_p);
    const double change = std::exp(token.model_log_p) - std::exp(token.base_log_p);
    squared_change_.add(change * change);
}

Estimate Divergence::kl() const {
    return mean_kl_.estimate();
}

double Divergence::kl_quantile(double q) const {
    if (kl_.empty()) return 0;
    std::vector<float> sorted = kl_;
    const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(sorted.size() - 1));
    std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
    return sorted[static_cast<std::size_t>(at)];
}

Estimate Divergence::same_top() const {
    return same_top_.estimate();
}

Estimate Divergence::probability_change() const {
    const Estimate square = squared_change_.estimate();
    const double root = std::sqrt(square.value);
    return {root, root > 0 ? square.error / (2 * root) : 0};
}

}  // namespace heft::eval
