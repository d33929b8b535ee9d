// How an answer is told: as JSON, and as a line of numbers.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "engine/engine.h"

namespace heft::app {

// "12 prompt tokens, 400 tok/s; 100 tokens, 47.6 tok/s; stop". Where guesses were checked, before
// the last word: "30 of 40 guesses right, 1.6 tokens a pass".
std::string stats_line(const engine::Reply& reply);

nlohmann::ordered_json usage_json(const engine::Reply& reply);
nlohmann::ordered_json timings_json(const engine::Reply& reply);
nlohmann::ordered_json speculation_json(gen::Guesser guesser, const engine::Reply& reply);

// With the tokens' spelling where the model has a tokenizer (else nullptr).
nlohmann::ordered_json logprobs_json(const engine::Reply& reply, const text::Tokenizer* tokenizer);

}  // namespace heft::app
