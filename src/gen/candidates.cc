#include "gen/candidates.h"

#include <algorithm>

namespace heft::gen {

namespace {

// Up to here a heap that the whole list is held against is quicker than partitioning the list.
constexpr std::size_t kSmallPrefix = 512;

// Logits whose highest is compared before each of them is.
constexpr std::size_t kBlock = 64;

Candidate candidate(std::size_t id, float logit) {
    return {static_cast<TokenId>(id), std::isnan(logit) ? kImpossible : logit, 0.0F};
}

}  // namespace

float highest(std::span<const float> logits) {
    constexpr std::size_t lanes = 16;  // independent, so that they are compared side by side
    float top[lanes];
    std::fill_n(top, lanes, kImpossible);
    std::size_t i = 0;
    for (; i + lanes <= logits.size(); i += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const float logit = logits[i + lane];
            top[lane] = logit > top[lane] ? logit : top[lane];  // false for NaN
        }
    for (; i < logits.size(); ++i) top[0] = logits[i] > top[0] ? logits[i] : top[0];
    return *std::max_element(top, top + lanes);
}

void assign(Candidates& list, std::span<const float> logits) {
    list.items.resize(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) list.items[i] = candidate(i, logits[i]);
    list.order = Order::by_id;
}

void assign_first(Candidates& list, std::span<const float> logits, std::size_t n) {
    auto& items = list.items;
    items.clear();
    list.order = Order::by_logit;
    n = std::min(n, logits.size());
    if (n == 0) return;
    for (std::size_t i = 0; i < n; ++i) items.push_back(candidate(i, logits[i]));
    // A heap of the first ones so far, the last of them in front. Whoever comes later and is equal
    // to that one stands behind it.
    std::make_heap(items.begin(), items.end(), ranks_before);
    for (std::size_t from = n; from < logits.size(); from += kBlock) {
        const std::size_t end = std::min(from + kBlock, logits.size());
        if (!(highest(logits.subspan(from, end - from)) > items.front().logit)) continue;
        for (std::size_t i = from; i < end; ++i) {
            if (!(logits[i] > items.front().logit)) continue;
            std::pop_heap(items.begin(), items.end(), ranks_before);
            items.back() = candidate(i, logits[i]);
            std::push_heap(items.begin(), items.end(), ranks_before);
        }
    }
    std::sort_heap(items.begin(), items.end(), ranks_before);
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
