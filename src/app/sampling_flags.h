// The command line's sampling options. What the user leaves out keeps the model's own default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gen/sampling_options.h"

namespace CLI {
class App;
}

namespace heft::app {

struct SamplingFlags {
    std::optional<float> temperature, dynatemp_range, dynatemp_exp;
    std::optional<float> top_p, min_p, typical, top_n_sigma;
    std::optional<int> top_k, min_keep;
    std::optional<float> repeat_penalty, presence_penalty, frequency_penalty;
    std::optional<int> repeat_last_n;
    std::optional<float> dry_multiplier, dry_base;
    std::optional<int> dry_allowed_length, dry_penalty_last_n;
    std::vector<std::string> dry_breakers;
    std::optional<float> xtc_probability, xtc_threshold;
    std::optional<int> mirostat;
    std::optional<float> mirostat_lr, mirostat_ent;
    std::vector<std::string> logit_bias;
    std::optional<std::int64_t> seed;
    std::optional<std::string> samplers;
};

void add_sampling(CLI::App& verb, SamplingFlags& flags);

// The defaults with the user's wishes over them, validated.
Result<gen::SamplingOptions> apply(const SamplingFlags& flags, gen::SamplingOptions defaults);

// "15043+1.5", "15043-2", "15043-inf".
Result<gen::LogitBias> parse_logit_bias(const std::string& text);

}  // namespace heft::app
