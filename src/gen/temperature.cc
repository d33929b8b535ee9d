#include "gen/temperature.h"

#include <algorithm>

namespace heft::gen {

namespace {

void only_best(Candidates& list) {
    const std::size_t keep = best(list);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i != keep) list.items[i].logit = kImpossible;
    }
    list.order = list.order == Order::by_id ? Order::by_id : Order::any;
}

}  // namespace

void temperature(Candidates& list, float t) {
    if (list.items.empty() || t == 1) return;
    if (t <= 0 || std::isinf(list.items[best(list)].logit / t)) {
        only_best(list);
        return;
    }
    // Logits that meet by rounding may leave their ids out of order.
    if (list.order == Order::by_logit) list.order = Order::any;
    for (auto& item : list.items) item.logit /= t;
}

void dynamic_temperature(Candidates& list, float t, float range, float exponent) {
    if (range <= 0) {
        temperature(list, t);
        return;
    }
    if (list.size() <= 1) return;
    softmax(list);
    const double largest = std::log(static_cast<double>(list.size()));
    const double share = std::clamp(entropy(list) / largest, 0.0, 1.0);
    const double low = std::max(0.0F, t - range);
    const double high = static_cast<double>(t) + range;
    temperature(list, static_cast<float>(low + (high - low) * std::pow(share, exponent)));
}

}  // namespace heft::gen
