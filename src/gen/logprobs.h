// Log-probabilities for the user: natural logarithms under the model's own distribution, that is
// the log-softmax of the logits as they left the model, before bias, penalties, cuts and
// temperature. They tell what the model thought, not how the sampler chose. Pure.
#pragma once

#include <span>
#include <vector>

#include "gen/candidates.h"

namespace heft::gen {

struct TokenLogprob {
    TokenId id = 0;
    float logprob = 0;  // <= 0; -inf for a logit of -inf or NaN
};

// ln(sum exp(logit)), computed about the maximum in double. -inf if no logit is above -inf.
double log_sum_exp(std::span<const float> logits);

float logprob_of(float logit, double log_sum);

// The n most probable tokens, highest first, the lower id first on ties; fewer if n exceeds the
// vocabulary.
std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, int n, double log_sum);

}  // namespace heft::gen
