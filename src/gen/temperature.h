// Flattens or sharpens the distribution. Pure.
#pragma once

#include "gen/candidates.h"

namespace heft::gen {

// logit / t. With t <= 0 (or so small that the division overflows) only the best one, the lowest id
// on ties, keeps a logit above -inf.
void temperature(Candidates& list, float t);

// A temperature between max(0, t - range) and t + range that grows with the entropy H of the list:
// low + (high - low) * (H / ln n)^exponent. range <= 0: plain temperature.
void dynamic_temperature(Candidates& list, float t, float range, float exponent);

}  // namespace heft::gen
