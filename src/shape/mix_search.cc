#include "shape/mix_search.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace heft::shape {

namespace {

constexpr std::size_t kMostGuesses = 4096;  // kept after each group
constexpr int kNeighbours = 12;             // guesses that are tried beside the one that was found

}  // namespace

MixSearch::MixSearch(std::vector<SearchGroup> groups, MeasureMix measure)
    : groups_(std::move(groups)), measure_(std::move(measure)) {
    for (const SearchGroup& group : groups_) HEFT_CHECK(!group.options.empty());
}

std::uint64_t MixSearch::bytes_of(const Picks& picks) const {
    std::uint64_t bytes = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g)
        bytes += groups_[g].options[static_cast<std::size_t>(picks[g])].bytes;
    return bytes;
}

Result<double> MixSearch::measured(const Picks& picks) {
    for (const auto& [known, far] : known_)
        if (known == picks) return far;
    HEFT_TRY(const double far, measure_(picks));
    ++n_measured_;
    // What is no number is as far as can be.
    known_.emplace_back(picks, std::isfinite(far) ? far : HUGE_VAL);
    return known_.back().second;
}

Status MixSearch::measure_groups() {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        std::vector<double>& alone = alone_.emplace_back();
        for (std::size_t o = 0; o < groups_[g].options.size(); ++o) {
            Picks picks(groups_.size(), kAsItIs);
            picks[g] = static_cast<int>(o);
            HEFT_TRY(alone.emplace_back(), measured(picks));
        }
    }
    return {};
}

// Group by group, all sums of what is best so far and the group's options.
std::vector<MixSearch::Guess> MixSearch::guesses() const {
    std::vector<Guess> best(1);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        std::vector<Guess> all;
        for (const Guess& guess : best)
            for (std::size_t o = 0; o < groups_[g].options.size(); ++o) {
                Guess& next = all.emplace_back(guess);
                next.bytes += groups_[g].options[o].bytes;
                next.sum += alone_[g][o];
                next.picks.push_back(static_cast<int>(o));
            }
        std::stable_sort(all.begin(), all.end(), [](const Guess& a, const Guess& b) {
            return a.bytes != b.bytes ? a.bytes < b.bytes : a.sum < b.sum;
        });
        best.clear();
        for (Guess& guess : all)
            if (best.empty() || guess.sum < best.back().sum) best.push_back(std::move(guess));
        if (best.size() <= kMostGuesses) continue;
        std::vector<Guess> some;  // evenly over the order of sizes, both ends included
        for (std::size_t i = 0; i < kMostGuesses; ++i)
            some.push_back(best[i * (best.size() - 1) / (kMostGuesses - 1)]);
        best = std::move(some);
    }
    return best;
}

Result<FoundMix> MixSearch::smallest_within(double far) {
    const std::vector<Guess> all = guesses();
    HEFT_TRY(const double least, measured(all.back().picks));
    if (!(least <= far))
        return Error{Code::invalid,
                     "no mix is so near: the largest has a divergence of " + std::to_string(least)};
    std::size_t too_far = 0;  // in front of it
    std::size_t near = all.size() - 1;
    while (too_far < near) {
        const std::size_t middle = too_far + (near - too_far) / 2;
        HEFT_TRY(const double found, measured(all[middle].picks));
        if (found <= far)
            near = middle;
        else
            too_far = middle + 1;
    }
    HEFT_TRY(const double found, measured(all[near].picks));
    return improved({all[near].picks, all[near].bytes, found}, all, far);
}

double MixSearch::sum_of(const Picks& picks) const {
    double sum = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g) sum += alone(g, picks[g]);
    return sum;
}

// Mixes like one that was measured are about as much farther than their sums say.
bool MixSearch::is_hopeless(double sum, const FoundMix& like, double far) const {
    constexpr double kDoubt = 1.25;
    const double of_like = sum_of(like.picks);
    return of_like > 0 && sum * like.far / of_like > kDoubt * far;
}

// Sums are not quite what is measured: smaller guesses that are just as near, and smaller options
// of single groups, until none is left.
Result<FoundMix> MixSearch::improved(FoundMix mix, const std::vector<Guess>& guesses, double far) {
    for (bool better = true; better;) {
        better = false;
        int tried = 0;
        for (auto guess = guesses.rbegin(); guess != guesses.rend() && tried < kNeighbours;
             ++guess) {
            if (guess->bytes >= mix.bytes || is_hopeless(guess->sum, mix, far)) continue;
            ++tried;
            HEFT_TRY(const double found, measured(guess->picks));
            if (found > far) continue;
            mix = {guess->picks, guess->bytes, found};
            better = true;
            tried = 0;
        }
        HEFT_TRY(const bool stepped, step_down(mix, far));
        better = better || stepped;
    }
    return mix;
}

// The step of one group that saves most.
Result<bool> MixSearch::step_down(FoundMix& mix, double far) {
    std::vector<Picks> steps;
    for (std::size_t g = 0; g < groups_.size(); ++g)
        for (int o = mix.picks[g] + 1; o < static_cast<int>(groups_[g].options.size()); ++o) {
            steps.push_back(mix.picks);
            steps.back()[g] = o;
        }
    std::stable_sort(steps.begin(), steps.end(),
                     [this](const Picks& a, const Picks& b) { return bytes_of(a) < bytes_of(b); });
    for (const Picks& picks : steps) {
        if (bytes_of(picks) >= mix.bytes || is_hopeless(sum_of(picks), mix, far)) continue;
        HEFT_TRY(const double found, measured(picks));
        if (found > far) continue;
        mix = {picks, bytes_of(picks), found};
        return true;
    }
    return false;
}

Result<FoundMix> MixSearch::nearest_within(std::uint64_t bytes) {
    const std::vector<Guess> all = guesses();
    if (all.front().bytes > bytes)
        return Error{Code::invalid, "no mix is so small: the smallest has "
                                        + std::to_string(all.front().bytes) + " bytes of "
                                        + "weights, and there is room for "
                                        + std::to_string(bytes)};
    FoundMix best;
    int tried = 0;
    for (auto guess = all.rbegin(); guess != all.rend() && tried < kNeighbours; ++guess) {
        if (guess->bytes > bytes) continue;
        HEFT_TRY(const double found, measured(guess->picks));
        if (tried++ == 0 || found < best.far) best = {guess->picks, guess->bytes, found};
    }
    return best;
}

}  // namespace heft::shape
