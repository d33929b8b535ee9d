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
constexpr double kNews = 0.25;        // weight of a new measurement of seconds
constexpr double kForget = 0.02;      // a bad measurement is forgotten, so that it is made again
constexpr double kLeastGain = 1.03;   // below, noise would decide
constexpr int kOftenEnough = 64;      // passes after which one token is measured anew

double usual(int n_tokens) {
    return 1 + kUsualExtra * (n_tokens - 1);
}

}  // namespace

Pace::Pace(int n_max) {
    HEFT_CHECK(n_max >= 0);
    odds_.assign(kTrusts, {kFirstRight, kFirstAll});
    for (int n = 0; n <= n_max + 1; ++n) cost_.push_back(usual(n));
}

double Pace::odds(int trust) const {
    const Odds& odds = odds_[static_cast<std::size_t>(trust)];
    return odds.right / odds.all;
}

double Pace::cost(int n_tokens) const {
    return cost_[static_cast<std::size_t>(n_tokens)];
}

int Pace::worth(int trust, int n) const {
    if (since_one_ >= kOftenEnough) return 0;
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
        one_s_ = one_s_ > 0 ? one_s_ + kNews * (seconds - one_s_) : seconds;
        for (std::size_t n = 2; n < cost_.size(); ++n)
            cost_[n] += kForget * (usual(static_cast<int>(n)) - cost_[n]);
        return;
    }
    ++since_one_;
    if (one_s_ <= 0) return;
    const double least = 1 + kLeastExtra * (n_tokens - 1);
    const double most = 1.0 + n_tokens;  // more is an interruption, not a cost
    const double measured = std::clamp(seconds / one_s_, least, most);
    // What is known of n tokens says something about neighbouring numbers.
    for (std::size_t n = 2; n < cost_.size(); ++n) {
        const double apart = std::abs(static_cast<double>(n) - n_tokens);
        const double scaled = 1 + (measured - 1) * (static_cast<double>(n) - 1) / (n_tokens - 1.0);
        cost_[n] += kNews / (1 + apart) * (scaled - cost_[n]);
    }
}

}  // namespace heft::gen
