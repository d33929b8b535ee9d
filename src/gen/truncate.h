// The stages that shorten the list. Each takes any list and leaves at least one candidate: never
// fewer than min_keep, as far as there are that many. Probabilities are those of the list as it
// comes in; they are not scaled up again afterwards (softmax() does that). Pure; thread-safe on
// different lists.
#pragma once

#include <cstddef>

#include "gen/candidates.h"

namespace heft::gen {

// The k highest, in order. k <= 0: all, in the order they are.
void top_k(Candidates& list, int k, std::size_t min_keep = 1);

// The shortest list of the most probable whose sum reaches p, the one that crosses p included
// (Holtzman et al. 2020). p >= 1: all.
void top_p(Candidates& list, float p, std::size_t min_keep = 1);

// Those at least p times as probable as the most probable one (Nguyen et al. 2024). p <= 0: all.
void min_p(Candidates& list, float p, std::size_t min_keep = 1);

// Those whose surprise is nearest to the entropy, until their sum exceeds p (locally typical
// sampling, Meister et al. 2023); nearest first. p >= 1: all.
void typical(Candidates& list, float p, std::size_t min_keep = 1);

// Those within n standard deviations of the highest logit (top-n-sigma, Tang et al. 2024). n <= 0:
// all.
void top_n_sigma(Candidates& list, float n, std::size_t min_keep = 1);

}  // namespace heft::gen
