// Guesses under way: those to check next, those just checked, and whether they pay. Private to this
// module.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "gen/pace.h"

namespace heft::engine {

class Guesses {
  public:
    // `proposer` may be nullptr: no guesses. It outlives this, as `count` does.
    Guesses(gen::Proposer* proposer, const gen::SpeculationOptions& options, Guessed& count);

    // What to compute with the last token of `text`, to be checked: at most `room` tokens.
    Result<std::span<const TokenId>> next(std::span<const TokenId> text, std::int64_t room);

    // The pass over these and the last token is over; it took so long.
    void computed(double seconds);

    // The next token turned out to be this one. Whether it was guessed and thus is computed.
    bool foresaw(TokenId id);

  private:
    int worth_asking(int room);
    int worth_checking(int room) const;

    gen::Proposer* proposer_;
    gen::SpeculationOptions options_;
    Guessed* count_;
    gen::Pace pace_;
    gen::Proposal proposal_;
    std::size_t n_checked_ = 0;  // of the proposal: what goes through the model
    std::size_t at_ = 0;         // of the proposal: what the next token is held against
    double guessing_s_ = 0;      // seconds that the proposal took
    int n_skipped_ = 0;          // times that a dear proposer was not asked
};

}  // namespace heft::engine
