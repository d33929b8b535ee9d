// Whether guesses pay: how often they were right lately, against what checking them costs. A pass
// over n + 1 tokens takes longer than one over a single token; n guesses of which each is right
// with probability a, as long as those before it are, bring 1 + a + … + a^n tokens. Both are
// learned while decoding goes on. Decides about speed alone: the text does not depend on it.
#pragma once

#include <vector>

#include "gen/speculation.h"

namespace heft::gen {

class Pace {
  public:
    // n_max: guesses checked at once, at most.
    explicit Pace(int n_max);

    // How many of n guesses of this trust to check at once; 0: none is worth it.
    int worth(int trust, int n) const;

    // A guess, those before it having been right.
    void saw(int trust, bool right);

    // A pass over n_tokens took so many seconds, guessing included.
    void took(int n_tokens, double seconds);

    double odds(int trust) const;     // that a guess of this trust is right
    double cost(int n_tokens) const;  // of a pass, as a multiple of that over one token

  private:
    struct Odds {
        double right, all;
    };
    struct Cost {
        double value;
        int n_seen = 0;
    };

    std::vector<Odds> odds_;
    std::vector<Cost> cost_;  // [n_tokens]
    Cost one_s_{0};           // seconds of a pass over one token
    int since_one_ = 0;       // passes since the last one over one token
};

}  // namespace heft::gen
