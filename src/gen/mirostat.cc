#include "gen/mirostat.h"

#include <algorithm>

namespace heft::gen {

std::size_t Mirostat::draw_from(Candidates& list, Rng& rng) {
    softmax(list);
    const Candidate top = list.items[best(list)];
    const double mu = mu_;
    const auto surprises = [mu](const Candidate& item) {
        return -std::log2(static_cast<double>(item.p)) > mu;
    };
    auto& items = list.items;
    items.erase(std::remove_if(items.begin(), items.end(), surprises), items.end());
    if (items.empty()) items.push_back(top);
    if (list.order == Order::by_id) list.order = Order::any;
    softmax(list);
    const std::size_t at = draw(list, rng);
    if (items[at].p > 0) {
        surprise_ = -std::log2(static_cast<double>(items[at].p));
        mu_ -= options_.eta * (surprise_ - options_.tau);
    }
    return at;
}

}  // namespace heft::gen
