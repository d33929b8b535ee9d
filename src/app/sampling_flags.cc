#include "app/sampling_flags.h"

#include <charconv>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/help.h"

namespace heft::app {

namespace {

template <class T, class U>
void take(const std::optional<T>& wish, U& value) {
    if (wish) value = *wish;
}

Status apply_mirostat(const SamplingFlags& flags, gen::MirostatOptions& options) {
    if (flags.mirostat) {
        if (*flags.mirostat != 0 && *flags.mirostat != 2)
            return Error{
                Code::unsupported,
                fmt::format("--mirostat {}: heft has version 2 only (0 is off)", *flags.mirostat)};
        options.on = *flags.mirostat == 2;
    }
    take(flags.mirostat_lr, options.eta);
    take(flags.mirostat_ent, options.tau);
    return {};
}

void apply_dry(const SamplingFlags& flags, gen::DryOptions& options) {
    take(flags.dry_multiplier, options.multiplier);
    take(flags.dry_base, options.base);
    take(flags.dry_allowed_length, options.allowed_length);
    take(flags.dry_penalty_last_n, options.last_n);
    if (flags.dry_breakers.empty()) return;
    options.breakers.clear();
    for (const std::string& breaker : flags.dry_breakers)
        if (breaker != "none") options.breakers.push_back(breaker);
}

}  // namespace

void add_sampling(CLI::App& verb, SamplingFlags& f) {
    const auto add = [&verb](const char* names, auto& target, const char* value,
                             const char* meaning) {
        return verb.add_option(names, target, meaning)->type_name(value)->group(kDense);
    };
    add("--temp", f.temperature, "T", "temperature; 0 takes the most probable token");
    add("--top-k", f.top_k, "N", "the N most probable tokens (0: all)");
    add("--top-p", f.top_p, "P", "the most probable tokens that sum to P");
    add("--min-p", f.min_p, "P", "tokens at least P times as probable as the best");
    add("--seed", f.seed, "N", "-1: random");
    add("--typical", f.typical, "P", "locally typical sampling");
    add("--top-n-sigma", f.top_n_sigma, "N", "within N standard deviations of the best logit");
    add("--min-keep", f.min_keep, "N", "tokens that every cut leaves");
    add("--repeat-penalty", f.repeat_penalty, "F", "divides the logits of recent tokens");
    add("--repeat-last-n", f.repeat_last_n, "N", "how many recent tokens (-1: all)");
    add("--presence-penalty", f.presence_penalty, "F", "subtracted from tokens that occurred");
    add("--frequency-penalty", f.frequency_penalty, "F", "subtracted per occurrence");
    add("--dry-multiplier", f.dry_multiplier, "F", "DRY repetition penalty (0: off)");
    add("--dry-base", f.dry_base, "F", "growth per repeated token");
    add("--dry-allowed-length", f.dry_allowed_length, "N", "repetitions that go free");
    add("--dry-penalty-last-n", f.dry_penalty_last_n, "N", "how far DRY looks back (-1: all)");
    add("--dry-sequence-breaker", f.dry_breakers, "S",
        "ends a repetition; \"none\" clears the list");
    add("--xtc-probability", f.xtc_probability, "P", "how often XTC acts");
    add("--xtc-threshold", f.xtc_threshold, "P", "what XTC takes for likely");
    add("--mirostat", f.mirostat, "0|2", "mirostat version 2 in place of all cuts");
    add("--mirostat-lr", f.mirostat_lr, "F", "learning rate");
    add("--mirostat-ent", f.mirostat_ent, "F", "wanted surprise, in bits");
    add("--dynatemp-range", f.dynatemp_range, "F", "temperature plus or minus this, by entropy");
    add("--dynatemp-exp", f.dynatemp_exp, "F", "exponent of the entropy");
    add("--logit-bias", f.logit_bias, "ID+B", "added to a token's logit; ID-inf forbids it");
    add("--samplers", f.samplers, "LIST", "the stages and their order, as in top_k;temperature");
}

Result<gen::LogitBias> parse_logit_bias(const std::string& text) {
    const Error malformed{Code::invalid,
                          fmt::format("--logit-bias: \"{}\" is not a token id with a bias, such as "
                                      "15043+1.5 or 15043-inf",
                                      text)};
    const std::size_t sign = text.find_first_of("+-");
    if (sign == std::string::npos || sign == 0) return malformed;
    gen::LogitBias bias;
    const char* end = text.data() + text.size();
    const auto id = std::from_chars(text.data(), text.data() + sign, bias.id);
    // from_chars takes "-1" but not "+1".
    const char* number = text.data() + sign + (text[sign] == '+' ? 1 : 0);
    const auto value = std::from_chars(number, end, bias.bias);
    if (id.ec != std::errc{} || id.ptr != text.data() + sign || value.ec != std::errc{}
        || value.ptr != end)
        return malformed;
    return bias;
}

Result<gen::SamplingOptions> apply(const SamplingFlags& f, gen::SamplingOptions options) {
    take(f.temperature, options.temperature);
    take(f.dynatemp_range, options.dynamic_range);
    take(f.dynatemp_exp, options.dynamic_exponent);
    take(f.top_k, options.top_k);
    take(f.top_p, options.top_p);
    take(f.min_p, options.min_p);
    take(f.typical, options.typical_p);
    take(f.top_n_sigma, options.top_n_sigma);
    take(f.min_keep, options.min_keep);
    take(f.repeat_penalty, options.penalties.repeat);
    take(f.presence_penalty, options.penalties.presence);
    take(f.frequency_penalty, options.penalties.frequency);
    take(f.repeat_last_n, options.penalties.last_n);
    take(f.xtc_probability, options.xtc.probability);
    take(f.xtc_threshold, options.xtc.threshold);
    take(f.seed, options.seed);
    apply_dry(f, options.dry);
    HEFT_OK(apply_mirostat(f, options.mirostat));
    for (const std::string& text : f.logit_bias) {
        HEFT_TRY(const gen::LogitBias bias, parse_logit_bias(text));
        options.logit_bias.push_back(bias);
    }
    if (f.samplers) {
        HEFT_TRY(options.order, gen::parse_order(*f.samplers));
    }
    HEFT_OK(gen::validate(options));
    return options;
}

}  // namespace heft::app
