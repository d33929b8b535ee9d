#include "engine/guesses.h"

#include <algorithm>

#include "base/clock.h"

namespace heft::engine {

namespace {

constexpr int kAskAgain = 32;  // passes after which a dear proposer gets another chance
constexpr int kChance = 2;     // guesses that it then has

}  // namespace

Guesses::Guesses(gen::Proposer* proposer, const gen::SpeculationOptions& options, Guessed& count)
    : proposer_(proposer), options_(options), count_(&count), pace_(options.n_max) {}

// How many guesses to ask for. What costs nothing is asked for in full, to learn whether it would
// have been right.
int Guesses::worth_asking(int room) {
    if (!proposer_->is_dear() || options_.always) return room;
    if (const int n = pace_.worth(0, room); n > 0) return n;
    if (++n_skipped_ < kAskAgain) return 0;
    n_skipped_ = 0;
    return std::min(kChance, room);
}

int Guesses::worth_checking(int room) const {
    const int n = std::min(room, static_cast<int>(proposal_.tokens.size()));
    if (n < options_.n_min) return 0;
    if (proposer_->is_dear() || options_.always) return n;
    const int best = pace_.worth(proposal_.trust, n);
    return best < options_.n_min ? 0 : best;
}

Result<std::span<const TokenId>> Guesses::next(std::span<const TokenId> text, std::int64_t room) {
    proposal_ = {};
    at_ = 0;
    n_checked_ = 0;
    guessing_s_ = 0;
    if (proposer_ == nullptr || room <= 0) return std::span<const TokenId>();
    const int most = static_cast<int>(std::min<std::int64_t>(room, options_.n_max));
    if (const int n = worth_asking(most); n > 0) {
        const auto start = Clock::now();
        HEFT_TRY(proposal_, proposer_->propose(text, n));
        guessing_s_ = seconds_since(start);
        if (proposal_.tokens.empty() && proposer_->is_dear()) pace_.saw(proposal_.trust, false);
    }
    n_checked_ = static_cast<std::size_t>(worth_checking(most));
    return std::span<const TokenId>(proposal_.tokens).first(n_checked_);
}

void Guesses::computed(double seconds) {
    ++count_->n_passes;
    count_->n_checked += static_cast<int>(n_checked_);
    if (n_checked_ > 0) seconds += guessing_s_;
    pace_.took(static_cast<int>(n_checked_) + 1, seconds);
}

bool Guesses::foresaw(TokenId id) {
    if (at_ >= proposal_.tokens.size()) return false;
    const bool is_right = proposal_.tokens[at_] == id;
    pace_.saw(proposal_.trust, is_right);
    const bool is_computed = is_right && at_ < n_checked_;
    if (is_computed) ++count_->n_right;
    at_ = is_right ? at_ + 1 : proposal_.tokens.size();
    return is_computed;
}

}  // namespace heft::engine
