// What a user can ask of sampling, the defaults, and the order of the stages (docs/sampling.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gen/dry.h"
#include "gen/mirostat.h"
#include "gen/penalties.h"
#include "gen/xtc.h"

namespace heft::gen {

enum class Stage : std::uint8_t {
    penalties,
    dry,
    top_n_sigma,
    top_k,
    typ_p,
    top_p,
    min_p,
    xtc,
    temperature,
};

// penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature
std::vector<Stage> default_order();

// An order as a user writes it: names between ';' ("penalties;top_k;temperature"; "top-k", "temp",
// "nucleus" … are understood too) or one letter per stage ("ekt": e penalties, d dry, s
// top_n_sigma, k top_k, y typ_p, p top_p, m min_p, x xtc, t temperature). Stages left out do
// nothing.
Result<std::vector<Stage>> parse_order(std::string_view text);

std::string_view to_string(Stage stage);
std::string to_string(const std::vector<Stage>& order);  // names between ';'

struct SamplingOptions {
    float temperature = 0.8F;    // <= 0: greedy
    float dynamic_range = 0.0F;  // > 0: temperature +- this, by entropy
    float dynamic_exponent = 1.0F;
    int top_k = 40;            // <= 0: off
    float top_p = 0.95F;       // 1: off
    float min_p = 0.05F;       // 0: off
    float typical_p = 1.0F;    // 1: off
    float top_n_sigma = 0.0F;  // <= 0: off
    PenaltyOptions penalties;
    DryOptions dry;
    XtcOptions xtc;
    MirostatOptions mirostat;  // if on, replaces every stage that shortens the list
    std::vector<LogitBias> logit_bias;
    int min_keep = 1;        // candidates that every cut leaves, if there are as many
    std::int64_t seed = -1;  // -1: random; Sampler::seed() tells which
    std::vector<Stage> order = default_order();
    bool logprobs = false;  // report the log-probability of the sampled token …
    int top_logprobs = 0;   // … and of this many of the most probable ones
};

// Refuses what has no meaning, in a sentence that names the option, its value and its range.
Status validate(const SamplingOptions& options);

}  // namespace heft::gen
