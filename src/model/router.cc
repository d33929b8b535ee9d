#include "model/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace heft::model {

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void softmax(std::span<float> x) {
    const float max = *std::max_element(x.begin(), x.end());
    float sum = 0;
    for (float& value : x) sum += value = std::exp(value - max);
    for (float& value : x) value /= sum;
}

// The indices of the `count` greatest, best first; the lower index of equals.
void greatest(std::span<const float> values, int count, std::vector<int>& order) {
    order.resize(values.size());
    std::iota(order.begin(), order.end(), 0);
    const auto at = [&](int i) {
        const float value = values[static_cast<std::size_t>(i)];
        return std::isnan(value) ? kNever : value;  // so that the order is one
    };
    std::partial_sort(order.begin(), order.begin() + count, order.end(),
                      [&](int a, int b) { return at(a) != at(b) ? at(a) > at(b) : a < b; });
    order.resize(static_cast<std::size_t>(count));
}

// Leaves only the experts of the best groups to choose from.
void limit_to_groups(const arch::Experts& experts, std::span<float> choice) {
    if (experts.n_group_used >= experts.n_group) return;
    const auto size = static_cast<std::size_t>(experts.n / experts.n_group);
    std::vector<float> ranks;
    std::vector<int> order;
    for (std::size_t from = 0; from < choice.size(); from += size) {
        const auto group = choice.subspan(from, size);
        const bool two = experts.group_rank == arch::GroupRank::best_two && size > 1;
        greatest(group, two ? 2 : 1, order);
        float rank = 0;
        for (const int i : order) rank += group[static_cast<std::size_t>(i)];
        ranks.push_back(rank);
    }
    greatest(ranks, experts.n_group_used, order);
    for (std::size_t group = 0; group < ranks.size(); ++group)
        if (std::find(order.begin(), order.end(), static_cast<int>(group)) == order.end())
            std::fill_n(choice.begin() + static_cast<std::ptrdiff_t>(group * size), size, kNever);
}

class TokenRouter {
  public:
    TokenRouter(const arch::Experts& experts, std::span<const float> bias)
        : experts_(experts), bias_(bias) {}

    // The experts of one token, best first, and their weights.
    void choose(std::span<const float> logits) {
        scores_.assign(logits.begin(), logits.end());
        switch (experts_.score) {
            case arch::Score::softmax: softmax(scores_); break;
            case arch::Score::softmax_chosen: break;
            case arch::Score::sigmoid:
                for (float& score : scores_) score = logistic(score);
                break;
        }
        choice_ = scores_;
        for (std::size_t i = 0; i < bias_.size(); ++i) choice_[i] += bias_[i];
        limit_to_groups(experts_, choice_);
        greatest(choice_, experts_.n_used, chosen);
        weights.clear();
        for (const int expert : chosen)
            weights.push_back(scores_[static_cast<std::size_t>(expert)]);
        if (experts_.score == arch::Score::softmax_chosen) softmax(weights);
        if (experts_.normalise) {
            const float sum = std::accumulate(weights.begin(), weights.end(), 0.0F);
            for (float& weight : weights) weight /= sum + kLeastSum;
        }
        for (float& weight : weights) weight *= experts_.scale;
    }

    std::vector<int> chosen;
    std::vector<float> weights;

  private:
    static constexpr float kLeastSum = 1e-20F;  // no division by zero where all sigmoids vanish

    const arch::Experts& experts_;
    std::span<const float> bias_;
    std::vector<float> scores_, choice_;
};

}  // namespace

float logistic(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

Routing route(const arch::Experts& experts, std::span<const float> choice_bias,
              std::span<const float> logits, int n_token) {
    const auto n = static_cast<std::size_t>(experts.n);
    const auto used = static_cast<std::size_t>(experts.n_used);
    const auto pairs = static_cast<std::size_t>(n_token) * used;
    std::vector<int> chosen;
    std::vector<float> weights;
    TokenRouter router(experts, choice_bias);
    for (int t = 0; t < n_token; ++t) {
        router.choose(logits.subspan(static_cast<std::size_t>(t) * n, n));
        chosen.insert(chosen.end(), router.chosen.begin(), router.chosen.end());
        weights.insert(weights.end(), router.weights.begin(), router.weights.end());
    }
    // A counting sort.
    std::vector<int> next(n + 1);
    for (const int expert : chosen) ++next[static_cast<std::size_t>(expert) + 1];
    Routing out;
    out.n_used = experts.n_used;
    for (std::size_t e = 0; e < n; ++e) {
        if (next[e + 1] > 0) out.runs.push_back({static_cast<int>(e), next[e], next[e + 1]});
        next[e + 1] += next[e];
    }
    out.tokens.resize(pairs);
    out.experts.resize(pairs);
    out.weights.resize(pairs);
    out.places.resize(pairs);
    for (std::size_t i = 0; i < pairs; ++i) {
        const int place = next[static_cast<std::size_t>(chosen[i])]++;
        const auto at = static_cast<std::size_t>(place);
        out.tokens[at] = static_cast<int>(i / used);
        out.experts[at] = chosen[i];
        out.weights[at] = weights[i];
        out.places[i] = place;
    }
    return out;
}

}  // namespace heft::model
