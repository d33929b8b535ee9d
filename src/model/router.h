// Which experts compute which tokens, with what weight.
#pragma once

#include <span>
#include <vector>

#include "arch/arch.h"

namespace heft::model {

float logistic(float x);

// The pairs of one expert: places first … first + count - 1.
struct ExpertRun {
    int expert;
    int first;
    int count;
};

// All (token, expert) pairs, sorted by expert and within it by token.
struct Routing {
    int n_used = 0;
    std::vector<int> tokens;      // of each pair
    std::vector<int> experts;     // of each pair
    std::vector<float> weights;   // of each pair
    std::vector<int> places;      // [token][n_used]: its pairs, in the order of choice
    std::vector<ExpertRun> runs;  // experts with at least one token

    std::span<const int> pairs_of(int token) const {
        const auto width = static_cast<std::size_t>(n_used);
        return std::span(places).subspan(static_cast<std::size_t>(token) * width, width);
    }
};

// logits: [n_token, experts.n]. choice_bias: empty, or [experts.n], which counts for choosing only.
Routing route(const arch::Experts& experts, std::span<const float> choice_bias,
              std::span<const float> logits, int n_token);

}  // namespace heft::model
