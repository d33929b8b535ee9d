#include "gen/xtc.h"

namespace heft::gen {

void xtc(Candidates& list, const XtcOptions& options, std::size_t min_keep, Rng& rng) {
    if (!options.active() || list.size() < 2) return;
    if (rng.uniform() >= options.probability) return;
    sort(list);
    softmax(list);
    std::size_t n_likely = 0;
    while (n_likely < list.size() && list.items[n_likely].p >= options.threshold
           && list.items[n_likely].p > 0) {
        ++n_likely;
    }
    if (n_likely < 2 || list.size() - (n_likely - 1) < min_keep) return;
    const auto begin = list.items.begin();
    list.items.erase(begin, begin + static_cast<std::ptrdiff_t>(n_likely - 1));
}

}  // namespace heft::gen
