// Sampling beyond OpenAI's parameters, as several dialects spell it.
#pragma once

#include <array>

#include "serve/api/parameters.h"

namespace heft::serve {

inline constexpr auto kSamplingRows = [] {
    using enum JsonType;
    return std::to_array<Parameter>({
        {"top_k", integer, "sample from so many tokens; 0 is no limit",
         take_sampling<&Sampling::top_k>, -1, 1e9},
        {"min_p", number, "sample from tokens at least so probable, relative to the best",
         take_sampling<&Sampling::min_p>, 0, 1},
        {"typical_p", number, "sample from tokens of typical surprise",
         take_sampling<&Sampling::typical_p>, 0, 1},
        {"repeat_penalty", number, "divides the logits of tokens that occurred",
         take_sampling<&Sampling::repeat>, 0.01, 100},
        {"repeat_last_n", integer, "how far back penalties look; -1 is everything",
         take_sampling<&Sampling::repeat_last_n>, -1, 1e9},
        {"mirostat", integer, "2 keeps the surprise of the text even",
         take_sampling<&Sampling::mirostat>, 0, 2},
        {"mirostat_tau", number, "the surprise wanted, in bits",
         take_sampling<&Sampling::mirostat_tau>, 0.001, 1000},
        {"mirostat_eta", number, "how fast it is corrected", take_sampling<&Sampling::mirostat_eta>,
         0.001, 1000},
    });
}();

}  // namespace heft::serve
