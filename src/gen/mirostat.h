// Mirostat 2.0 (Basu et al. 2021, https://arxiv.org/abs/2007.14966): instead of a fixed cut, keeps
// the surprise of the text (bits per token) near tau. Has state; one object per text.
#pragma once

#include <cstddef>

#include "base/rng.h"
#include "gen/candidates.h"

namespace heft::gen {

struct MirostatOptions {
    bool on = false;
    float tau = 5.0F;  // wanted surprise, bits per token
    float eta = 0.1F;  // learning rate
};

class Mirostat {
  public:
    explicit Mirostat(const MirostatOptions& options) : options_(options), mu_(2 * options.tau) {}

    // Removes candidates with more than mu bits of surprise (the best one stays), draws one of the
    // rest and moves mu by eta * (tau - its surprise). Answers its place in the list.
    std::size_t draw_from(Candidates& list, Rng& rng);

    double mu() const { return mu_; }
    double surprise() const { return surprise_; }  // of the token drawn last, among those kept

  private:
    MirostatOptions options_;
    double mu_;
    double surprise_ = 0;
};

}  // namespace heft::gen
