#include "gen/pace.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace heft::gen {

namespace {

constexpr double kMemory = 0.95;     // what an older observation weighs against the next one
constexpr double kFirstRight = 1.0;  // before anything is seen: one of two guesses was right
constexpr double kFirstAll = 2.0;
constexpr double kUsualExtra = 0.25;  // cost of a further token, before it was measured
constexpr double kLeastExtra = 0.01;  // none is free, whatever a noisy clock says
constexpr double kNews = 0.25;        // weight of a new measurement, after the first ones
constexpr double kForget = 0.005;     // a bad measurement is forgotten, so that it is made again
constexpr double kLeastGain = 1.1;    // below, noise would decide
constexpr int kFirst = 2;             // passes over one token before anything is checked
constexpr int kOftenEnough = 64;      // passes after which one token is measured anew

double usual(std::size_t n_tokens) {
    return 1 + kUsualExtra * (static_cast<double>(n_tokens) - 1);
}

// The first measurements count alike, later ones more than those before.
double weight(int n_seen) {
    return std::max(1.0 / (n_seen + 1), kNews);
}

}  // namespace

Pace::Pace(int n_max) {
    HEFT_CHECK(n_max >= 0);
    odds_.assign(kTrusts, {kFirstRight, kFirstAll});
    for (int n = 0; n <= n_max + 1; ++n) cost_.push_back({usual(static_cast<std::size_t>(n))});
}

double Pace::odds(int trust) const {
    const Odds& odds = odds_[static_cast<std::size_t>(trust)];
    return odds.right / odds.all;
}

double Pace::cost(int n_tokens) const {
    return cost_[static_cast<std::size_t>(n_tokens)].value;
}

int Pace::worth(int trust, int n) const {
    if (one_s_.n_seen < kFirst || since_one_ >= kOftenEnough) return 0;
    n = std::min(n, static_cast<int>(cost_.size()) - 2);
    const double right = odds(trust);
    int best = 0;
    double best_gain = kLeastGain;
    double tokens = 1;
    double all_right = 1;
    for (int i = 1; i <= n; ++i) {
        all_right *= right;
        tokens += all_right;
        const double gain = tokens / cost(i + 1);
        if (gain <= best_gain) continue;
        best = i;
        best_gain = gain;
    }
    return best;
}

void Pace::saw(int trust, bool right) {
    Odds& odds = odds_[static_cast<std::size_t>(trust)];
    odds.right = odds.right * kMemory + (right ? 1 : 0);
    odds.all = odds.all * kMemory + 1;
}

void Pace::took(int n_tokens, double seconds) {
    if (n_tokens <= 1) {
        since_one_ = 0;
        one_s_.value += weight(one_s_.n_seen) * (seconds - one_s_.value);
        ++one_s_.n_seen;
        for (std::size_t n = 2; n < cost_.size(); ++n)
            cost_[n].value += kForget * (usual(n) - cost_[n].value);
        return;
    }
    ++since_one_;
    if (one_s_.value <= 0) return;
    const double least = 1 + kLeastExtra * (n_tokens - 1);
    const double most = 1.0 + n_tokens;  // more is an interruption, not a cost
    const double measured = std::clamp(seconds / one_s_.value, least, most);
    // What is known of n tokens says something about neighbouring numbers, above all where nothing
    // else does.
    for (std::size_t n = 2; n < cost_.size(); ++n) {
        Cost& cost = cost_[n];
        const double tokens = static_cast<double>(n);
        const double apart = std::abs(tokens - n_tokens);
        const double scaled = 1 + (measured - 1) * (tokens - 1) / (n_tokens - 1.0);
        cost.value += weight(cost.n_seen) / (1 + apart) * (scaled - cost.value);
        if (apart == 0) ++cost.n_seen;
    }
}

}  // namespace heft::gen
