#include "gen/sampling_options.h"

#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace heft::gen {

namespace {

struct StageName {
    Stage stage;
    char letter;
    std::string_view name;
    std::array<std::string_view, 5> also;  // other spellings in use
};

// In the default order.
constexpr std::array<StageName, 9> kStages = {{
    {Stage::penalties, 'e', "penalties", {}},
    {Stage::dry, 'd', "dry", {}},
    {Stage::top_n_sigma, 's', "top_n_sigma", {"top-n-sigma"}},
    {Stage::top_k, 'k', "top_k", {"top-k"}},
    {Stage::typ_p, 'y', "typ_p", {"typ-p", "typ", "typical", "typical_p", "typical-p"}},
    {Stage::top_p, 'p', "top_p", {"top-p", "nucleus"}},
    {Stage::min_p, 'm', "min_p", {"min-p"}},
    {Stage::xtc, 'x', "xtc", {}},
    {Stage::temperature, 't', "temperature", {"temp"}},
}};

std::optional<Stage> stage_by_name(std::string_view name) {
    for (const auto& row : kStages) {
        if (row.name == name) return row.stage;
        for (const auto other : row.also) {
            if (!other.empty() && other == name) return row.stage;
        }
    }
    return std::nullopt;
}

std::optional<Stage> stage_by_letter(char letter) {
    for (const auto& row : kStages) {
        if (row.letter == letter) return row.stage;
    }
    return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Error unknown(std::string_view name) {
    std::string known;
    for (const auto& row : kStages) {
        known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", row.name, row.letter);
    }
    // What the user typed may be long or binary; an error stays one readable line.
    std::string shown;
    for (const char c : name.substr(0, 40)) shown += c >= ' ' && c <= '~' ? c : '?';
    return {Code::invalid, fmt::format("unknown sampler \"{}\"; there are {}: write names between "
                                       "';' or the letters alone",
                                       shown, known)};
}

Result<std::vector<Stage>> parse_letters(std::string_view letters) {
    std::vector<Stage> order;
    order.reserve(letters.size());
    for (const char letter : letters) {
        const auto stage = stage_by_letter(letter);
        if (!stage) return unknown(letters);
        order.push_back(*stage);
    }
    return order;
}

// NaN fails every comparison and so is outside every range.
Status in_range(std::string_view name, float value, float low, float high) {
    if (value >= low && value <= high) return {};
    return Error{Code::invalid,
                 fmt::format("{} is {}; it has to be from {} to {}", name, value, low, high)};
}

Status finite(std::string_view name, float value) {
    if (std::isfinite(value)) return {};
    return Error{Code::invalid, fmt::format("{} is {}; it has to be a finite number", name, value)};
}

Status at_least(std::string_view name, float value, float low) {
    if (value >= low && std::isfinite(value)) return {};
    return Error{Code::invalid,
                 fmt::format("{} is {}; it has to be a number of at least {}", name, value, low)};
}

Status positive(std::string_view name, float value) {
    if (value > 0 && std::isfinite(value)) return {};
    return Error{Code::invalid,
                 fmt::format("{} is {}; it has to be a number above 0", name, value)};
}

Status at_least(std::string_view name, std::int64_t value, std::int64_t low,
                std::string_view meaning) {
    if (value >= low) return {};
    return Error{Code::invalid,
                 fmt::format("{} is {}; it has to be at least {}{}", name, value, low, meaning)};
}

Status validate_penalties(const SamplingOptions& options) {
    const auto& penalties = options.penalties;
    HEFT_OK(positive("repeat_penalty", penalties.repeat));
    HEFT_OK(finite("presence_penalty", penalties.presence));
    HEFT_OK(finite("frequency_penalty", penalties.frequency));
    HEFT_OK(at_least("repeat_last_n", penalties.last_n, -1, " (-1 = all, 0 = off)"));
    HEFT_OK(at_least("dry_multiplier", options.dry.multiplier, 0.0F));
    HEFT_OK(at_least("dry_base", options.dry.base, 1.0F));
    HEFT_OK(at_least("dry_allowed_length", options.dry.allowed_length, 0, ""));
    HEFT_OK(at_least("dry_penalty_last_n", options.dry.last_n, -1, " (-1 = all, 0 = off)"));
    constexpr std::size_t longest = 40;
    for (const auto& breaker : options.dry.breakers) {
        if (!breaker.empty() && breaker.size() <= longest) continue;
        return Error{Code::invalid,
                     fmt::format("a DRY sequence breaker has {} bytes; it has to be from 1 to {}",
                                 breaker.size(), longest)};
    }
    return {};
}

Status validate_bias(const std::vector<LogitBias>& biases) {
    for (const auto& [id, bias] : biases) {
        HEFT_OK(at_least("the token id of a logit bias", id, 0, ""));
        if (std::isfinite(bias) || bias == kImpossible) continue;
        return Error{Code::invalid, fmt::format("the logit bias of token {} is {}; it has to be a "
                                                "finite number, or -inf to forbid the token",
                                                id, bias)};
    }
    return {};
}

}  // namespace

std::vector<Stage> default_order() {
    std::vector<Stage> order;
    order.reserve(kStages.size());
    for (const auto& row : kStages) order.push_back(row.stage);
    return order;
}

Result<std::vector<Stage>> parse_order(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) {
        return Error{Code::invalid,
                     "the order of samplers is empty; name at least one, as in "
                     "\"top_k;temperature\""};
    }
    const bool one_word = text.find(';') == std::string_view::npos;
    if (one_word && !stage_by_name(text)) return parse_letters(text);

    std::vector<Stage> order;
    while (!text.empty()) {
        const auto end = std::min(text.find(';'), text.size());
        const auto name = trimmed(text.substr(0, end));
        const auto stage = stage_by_name(name);
        if (!stage) return unknown(name);
        order.push_back(*stage);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return order;
}

std::string_view to_string(Stage stage) {
    for (const auto& row : kStages) {
        if (row.stage == stage) return row.name;
    }
    return "";
}

std::string to_string(const std::vector<Stage>& order) {
    std::string text;
    for (const Stage stage : order) {
        if (!text.empty()) text += ';';
        text += to_string(stage);
    }
    return text;
}

Status validate(const SamplingOptions& options) {
    HEFT_OK(finite("temperature", options.temperature));
    HEFT_OK(at_least("the dynamic temperature range", options.dynamic_range, 0.0F));
    HEFT_OK(at_least("the dynamic temperature exponent", options.dynamic_exponent, 0.0F));
    HEFT_OK(in_range("top_p", options.top_p, 0, 1));
    HEFT_OK(in_range("min_p", options.min_p, 0, 1));
    HEFT_OK(in_range("typical_p", options.typical_p, 0, 1));
    HEFT_OK(finite("top_n_sigma", options.top_n_sigma));
    HEFT_OK(validate_penalties(options));
    HEFT_OK(in_range("xtc_probability", options.xtc.probability, 0, 1));
    HEFT_OK(in_range("xtc_threshold", options.xtc.threshold, 0, 1));
    HEFT_OK(positive("mirostat_tau", options.mirostat.tau));
    HEFT_OK(positive("mirostat_eta", options.mirostat.eta));
    HEFT_OK(validate_bias(options.logit_bias));
    HEFT_OK(at_least("min_keep", options.min_keep, 0, ""));
    HEFT_OK(at_least("the seed", options.seed, -1, " (-1 = random)"));
    HEFT_OK(at_least("top_logprobs", options.top_logprobs, 0, ""));
    return {};
}

}  // namespace heft::gen
