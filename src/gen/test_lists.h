// Candidate lists for the tests of this module.
#pragma once

#include <cmath>
#include <vector>

#include "gen/candidates.h"

namespace heft::gen::testing {

inline Candidates from_logits(const std::vector<float>& logits) {
    Candidates list;
    assign(list, logits);
    return list;
}

// Logits whose softmax is `probabilities`.
inline Candidates from_probabilities(const std::vector<float>& probabilities) {
    std::vector<float> logits;
    for (const float p : probabilities) logits.push_back(std::log(p));
    Candidates list = from_logits(logits);
    softmax(list);
    return list;
}

inline std::vector<TokenId> ids(const Candidates& list) {
    std::vector<TokenId> out;
    for (const auto& item : list.items) out.push_back(item.id);
    return out;
}

inline std::vector<float> probabilities(const Candidates& list) {
    std::vector<float> out;
    for (const auto& item : list.items) out.push_back(item.p);
    return out;
}

// Logits in no particular order, between -8 and 8, with ties.
inline std::vector<float> rough_logits(std::size_t n, std::uint64_t seed) {
    Rng rng(seed);
    std::vector<float> logits(n);
    for (auto& logit : logits) logit = static_cast<float>(rng.next() % 1601) / 100.0F - 8.0F;
    return logits;
}

}  // namespace heft::gen::testing
