#include "gen/truncate.h"

#include <algorithm>
#include <functional>

namespace heft::gen {

namespace {

// Keeps the candidates with a logit of at least `lowest`, in the order they are in.
void keep_from(Candidates& list, float lowest, std::size_t min_keep) {
    const auto passes = [lowest](const Candidate& item) { return item.logit >= lowest; };
    auto& items = list.items;
    const auto n_pass = static_cast<std::size_t>(std::count_if(items.begin(), items.end(), passes));
    const std::size_t n_keep = std::max<std::size_t>({n_pass, min_keep, 1});
    if (n_keep >= items.size()) return;
    if (n_pass < n_keep || list.order == Order::by_logit) {
        sort_first(list, n_keep);
        keep_first(list, n_keep);
        return;
    }
    items.erase(std::remove_if(items.begin(), items.end(), std::not_fn(passes)), items.end());
    list.order = Order::any;
}

}  // namespace

void top_k(Candidates& list, int k, std::size_t min_keep) {
    if (k <= 0 || list.items.empty()) return;
    const std::size_t n = std::min(std::max(static_cast<std::size_t>(k), min_keep), list.size());
    sort_first(list, n);
    keep_first(list, n);
    list.order = Order::by_logit;
}

void top_p(Candidates& list, float p, std::size_t min_keep) {
    if (p >= 1 || list.items.empty()) return;
    softmax(list);
    // Most often a few candidates hold the sum, so the list is put in order piece by piece.
    std::size_t n_ordered = std::min<std::size_t>(256, list.size());
    sort_first(list, n_ordered);
    double sum = 0;
    std::size_t n = 0;
    while (n < list.size()) {
        if (n == n_ordered) {
            n_ordered = std::min(n_ordered * 16, list.size());
            sort_first(list, n_ordered);
        }
        sum += list.items[n].p;
        ++n;
        if (sum >= p - kProbabilitySlack && n >= min_keep) break;
    }
    keep_first(list, n);
    list.order = Order::by_logit;
}

void min_p(Candidates& list, float p, std::size_t min_keep) {
    if (p <= 0 || list.items.empty()) return;
    keep_from(list, list.items[best(list)].logit + std::log(p), min_keep);
}

void typical(Candidates& list, float p, std::size_t min_keep) {
    if (p >= 1 || list.items.empty()) return;
    struct Ranked {
        double distance;  // |surprise - entropy|
        Candidate item;
    };
    softmax(list);
    const double expected = entropy(list);
    std::vector<Ranked> ranked;
    ranked.reserve(list.size());
    for (const auto& item : list.items) {
        const double surprise = -std::log(static_cast<double>(item.p));  // inf where p is 0
        ranked.push_back({std::abs(surprise - expected), item});
    }
    std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
        if (a.distance != b.distance) return a.distance < b.distance;
        return ranks_before(a.item, b.item);
    });

    double sum = 0;
    list.items.clear();
    for (const auto& next : ranked) {
        sum += next.item.p;
        list.items.push_back(next.item);
        if (sum > p + kProbabilitySlack && list.size() >= min_keep) break;
    }
    list.order = Order::any;
}

void top_n_sigma(Candidates& list, float n, std::size_t min_keep) {
    if (n <= 0 || list.size() <= 1) return;
    double sum = 0;
    double squares = 0;
    double count = 0;
    const float top = list.items[best(list)].logit;
    if (!std::isfinite(top)) return;
    for (const auto& item : list.items) {
        if (item.logit == kImpossible) continue;
        const double below = static_cast<double>(item.logit) - top;
        sum += below;
        squares += below * below;
        count += 1;
    }
    const double mean = sum / count;
    const double deviation = std::sqrt(std::max(0.0, squares / count - mean * mean));
    keep_from(list, static_cast<float>(top - n * deviation), min_keep);
}

}  // namespace heft::gen
