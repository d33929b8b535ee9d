#include "gen/candidates.h"

#include <algorithm>

namespace heft::gen {

namespace {

// Up to here a heap that the whole list is held against is quicker than partitioning the list.
constexpr std::size_t kSmallPrefix = 512;

}  // namespace

void assign(Candidates& list, std::span<const float> logits) {
    list.items.resize(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
        const float logit = std::isnan(logits[i]) ? kImpossible : logits[i];
        list.items[i] = {static_cast<TokenId>(i), logit, 0.0F};
    }
    list.order = Order::by_id;
}

bool ranks_before(const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

void sort_first(Candidates& list, std::size_t n) {
    n = std::min(n, list.size());
    if (list.order == Order::by_logit) return;
    const auto begin = list.items.begin();
    const auto middle = begin + static_cast<std::ptrdiff_t>(n);
    if (n == list.size()) {
        std::sort(begin, list.items.end(), ranks_before);
        list.order = Order::by_logit;
        return;
    }
    if (n <= kSmallPrefix) {
        std::partial_sort(begin, middle, list.items.end(), ranks_before);
    } else {
        std::nth_element(begin, middle, list.items.end(), ranks_before);
        std::sort(begin, middle, ranks_before);
    }
    list.order = Order::any;
}

void sort(Candidates& list) {
    sort_first(list, list.size());
}

void keep_first(Candidates& list, std::size_t n) {
    if (n >= list.size()) return;
    list.items.resize(n);
    if (list.order == Order::by_id) list.order = Order::any;
}

void softmax(Candidates& list) {
    if (list.items.empty()) return;
    const float top = list.items[best(list)].logit;
    double sum = 0;
    for (auto& item : list.items) {
        // The equal case also covers +inf, whose difference with itself is not a number.
        double weight = item.logit == top ? 1.0 : 0.0;
        if (item.logit < top) weight = std::exp(static_cast<double>(item.logit) - top);
        if (item.logit == kImpossible) weight = 0.0;
        item.p = static_cast<float>(weight);
        sum += weight;
    }
    if (sum == 0) return;
    for (auto& item : list.items) item.p = static_cast<float>(item.p / sum);
}

double entropy(const Candidates& list) {
    double sum = 0;
    for (const auto& item : list.items) {
        if (item.p > 0) sum -= item.p * std::log(static_cast<double>(item.p));
    }
    return sum;
}

std::size_t best(const Candidates& list) {
    if (list.order == Order::by_logit) return 0;
    std::size_t at = 0;
    for (std::size_t i = 1; i < list.size(); ++i) {
        if (ranks_before(list.items[i], list.items[at])) at = i;
    }
    return at;
}

std::size_t draw(const Candidates& list, Rng& rng) {
    double total = 0;
    for (const auto& item : list.items) total += item.p;
    const double target = rng.uniform() * total;
    double sum = 0;
    std::size_t last = best(list);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list.items[i].p <= 0) continue;
        sum += list.items[i].p;
        last = i;
        if (sum > target) break;
    }
    return last;
}

}  // namespace heft::gen
