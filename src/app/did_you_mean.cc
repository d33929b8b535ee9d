#include "app/did_you_mean.h"

#include <algorithm>

namespace heft::app {

namespace {

constexpr std::size_t kLongest = 64;  // longer words are no slips of a finger

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    const std::size_t width = b.size() + 1;
    std::vector<std::size_t> cost((a.size() + 1) * width);
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i * width] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t& here = cost[i * width + j];
            const std::size_t replaced =
                cost[(i - 1) * width + j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            here = std::min({replaced, cost[(i - 1) * width + j] + 1, cost[i * width + j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) here = std::min(here, cost[(i - 2) * width + j - 2] + 1);
        }
    return cost.back();
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
    if (word.size() > kLongest) return {};
    std::string best;
    std::size_t distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
    for (const std::string& one : known) {
        const std::size_t here = edit_distance(word, one);
        if (here >= distance) continue;
        distance = here;
        best = one;
    }
    return best;
}

}  // namespace heft::app
