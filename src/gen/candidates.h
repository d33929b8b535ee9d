// The list that sampling works on: what is left of the vocabulary, with logits and probabilities.
// Every order that a stage leaves behind is fixed by logits and ids alone (ties go to the lower
// id), so that one seed gives one text everywhere. A list never holds a NaN: assign() and
// adjust_logits() turn it into -inf, a token that is never drawn.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/rng.h"
#include "text/token.h"

namespace heft::gen {

using text::TokenId;

inline constexpr float kImpossible = -std::numeric_limits<float>::infinity();

// Cumulative probabilities are compared with this slack: what float logits can blur.
inline constexpr double kProbabilitySlack = 1e-7;

struct Candidate {
    TokenId id = 0;
    float logit = 0;
    float p = 0;  // valid after softmax(), until the logits or the list change
};

enum class Order : std::uint8_t {
    by_id,     // item i is token i, nothing is missing
    by_logit,  // highest first, then by id
    any,       // some other order, fixed by the stages before
};

struct Candidates {
    std::vector<Candidate> items;
    Order order = Order::any;

    std::size_t size() const { return items.size(); }
};

// The highest, NaN never; kImpossible if there is none.
float highest(std::span<const float> logits);

// Every token of the vocabulary, by id.
void assign(Candidates& list, std::span<const float> logits);

// The n first ones alone, by_logit; all if there are fewer. The same as assign(), sort_first() and
// keep_first(), but most logits are only looked at.
void assign_first(Candidates& list, std::span<const float> logits, std::size_t n);

bool ranks_before(const Candidate& a, const Candidate& b);

// Brings the first n into by_logit order; the rest is in no order at all and is meant to be cut.
void sort_first(Candidates& list, std::size_t n);
void sort(Candidates& list);

// Cuts the list to its first n.
void keep_first(Candidates& list, std::size_t n);

// p of every candidate, summed in double. All zero if no logit is above -inf.
void softmax(Candidates& list);

// -sum p ln p, after softmax(); in nats.
double entropy(const Candidates& list);

// The place of the highest logit; the lowest id on ties. The list is not empty.
std::size_t best(const Candidates& list);

// Draws a place in proportion to p, after softmax(); p need not sum to 1. The list is not empty.
std::size_t draw(const Candidates& list, Rng& rng);

// Applies adjust(logit, value) to each token that the map {id: value} names.
template <class Map, class Adjust>
void adjust_logits(std::span<float> logits, const Map& by_token, const Adjust& adjust) {
    for (const auto& entry : by_token) {
        const auto at = static_cast<std::size_t>(entry.first);
        if (entry.first < 0 || at >= logits.size()) continue;
        const float logit = adjust(logits[at], entry.second);
        logits[at] = std::isnan(logit) ? kImpossible : logit;
    }
}

template <class Map, class Adjust>
void adjust_logits(Candidates& list, const Map& by_token, const Adjust& adjust) {
    const auto change = [&adjust](Candidate& item, const auto& value) {
        const float logit = adjust(item.logit, value);
        item.logit = std::isnan(logit) ? kImpossible : logit;
    };
    if (by_token.empty()) return;
    if (list.order == Order::by_id) {
        for (const auto& entry : by_token) {
            const auto at = static_cast<std::size_t>(entry.first);
            if (entry.first >= 0 && at < list.size()) change(list.items[at], entry.second);
        }
        return;
    }
    for (auto& item : list.items) {
        const auto found = by_token.find(item.id);
        if (found != by_token.end()) change(item, found->second);
    }
    list.order = Order::any;
}

}  // namespace heft::gen
