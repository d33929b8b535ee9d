#include "eval/scores.h"

#include <algorithm>
#include <cmath>

namespace heft::eval {

void log_softmax(std::span<const float> logits, std::vector<double>& to) {
    to.resize(logits.size());
    const float most = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float x : logits) sum += std::exp(static_cast<double>(x) - most);
    const double less = most + std::log(sum);
    for (std::size_t i = 0; i < logits.size(); ++i) to[i] = logits[i] - less;
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

void Divergence::add(std::span<const float> base, std::span<const float> model,
                     std::int32_t token) {
    log_softmax(base, p_);
    log_softmax(model, q_);
    double kl = 0;
    for (std::size_t i = 0; i < p_.size(); ++i) kl += std::exp(p_[i]) * (p_[i] - q_[i]);
    kl = std::max(kl, 0.0);  // rounding
    kl_.push_back(static_cast<float>(kl));
    mean_kl_.add(kl);
    const auto top = [](std::span<const float> row) {
        return std::max_element(row.begin(), row.end()) - row.begin();
    };
    same_top_.add(top(base) == top(model) ? 1 : 0);
    const auto id = static_cast<std::size_t>(token);
    base_.add(p_[id]);
    model_.add(q_[id]);
    difference_.add(p_[id] - q_[id]);
    const double change = std::exp(q_[id]) - std::exp(p_[id]);
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
