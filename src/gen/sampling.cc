#include "gen/sampling.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "gen/temperature.h"
#include "gen/truncate.h"

namespace heft::gen {

namespace {

// 32 bits, so that a person can type it again.
std::uint64_t random_seed() {
    std::random_device device;
    return device();
}

void forbid_others(std::span<float> logits, std::span<const std::uint64_t> allowed) {
    for (std::size_t id = 0; id < logits.size(); ++id)
        if ((allowed[id / 64] >> (id % 64) & 1) == 0) logits[id] = kImpossible;
}

}  // namespace

std::optional<TokenId> greedy(std::span<const float> logits) {
    const float top = highest(logits);
    if (top == kImpossible) return std::nullopt;
    return static_cast<TokenId>(std::find(logits.begin(), logits.end(), top) - logits.begin());
}

Result<Sampler> Sampler::make(SamplingOptions options, int n_vocab, DryBreakers breakers) {
    HEFT_CHECK(n_vocab > 0);
    HEFT_OK(validate(options));
    for (const auto& [id, bias] : options.logit_bias) {
        if (id < n_vocab) continue;
        return Error{Code::invalid, fmt::format("there is a logit bias for token {}, but the "
                                                "vocabulary ends at token {}",
                                                id, n_vocab - 1)};
    }
    const std::uint64_t seed =
        options.seed < 0 ? random_seed() : static_cast<std::uint64_t>(options.seed);
    return Sampler(std::move(options), std::move(breakers), n_vocab, seed);
}

Sampler::Sampler(SamplingOptions options, DryBreakers breakers, int n_vocab, std::uint64_t seed)
    : options_(std::move(options)),
      breakers_(std::move(breakers)),
      n_vocab_(static_cast<std::size_t>(n_vocab)),
      seed_(seed),
      rng_(seed),
      mirostat_(options_.mirostat),
      window_(options_.penalties.last_n) {}

Result<Choice> Sampler::sample(std::span<const float> logits,
                               std::span<const std::uint64_t> allowed) {
    HEFT_CHECK(logits.size() == n_vocab_);
    HEFT_CHECK(allowed.empty() || allowed.size() == (n_vocab_ + 63) / 64);
    const auto id = choose(logits, allowed);
    if (!id) {
        return Error{Code::corrupt,
                     "no token can follow: every logit is NaN or -inf; the model's "
                     "weights are damaged, or all tokens are forbidden by logit bias or a grammar"};
    }
    Choice choice;
    choice.id = *id;
    if (options_.logprobs || options_.top_logprobs > 0) {
        const double log_sum = log_sum_exp(logits);
        choice.logprob = logprob_of(logits[static_cast<std::size_t>(*id)], log_sum);
        choice.top = top_logprobs(logits, options_.top_logprobs, log_sum);
    }
    return choice;
}

std::optional<TokenId> Sampler::choose(std::span<const float> logits,
                                       std::span<const std::uint64_t> allowed) {
    auto stage = options_.order.begin();
    if (changes_logits() || !allowed.empty()) {
        adjusted_.assign(logits.begin(), logits.end());
        if (!allowed.empty()) forbid_others(adjusted_, allowed);
        add_bias(adjusted_, options_.logit_bias);
        for (; stage != options_.order.end() && acts_on_all(*stage); ++stage) adjust(*stage);
        logits = adjusted_;
    }
    if (is_greedy()) return greedy(logits);

    // Most often all but a few tokens go at once; then no list of all of them is made.
    while (stage != options_.order.end() && acts_on_all(*stage)) ++stage;
    if (stage != options_.order.end() && *stage == Stage::top_k) {
        const int most = std::max(options_.top_k, options_.min_keep);
        assign_first(list_, logits, static_cast<std::size_t>(most));
        ++stage;
    } else {
        assign(list_, logits);
    }
    for (; stage != options_.order.end(); ++stage) run(*stage);

    std::size_t at = best(list_);
    if (list_.items[at].logit == kImpossible) return std::nullopt;
    if (options_.mirostat.on) {
        at = mirostat_.draw_from(list_, rng_);
    } else {
        softmax(list_);
        at = draw(list_, rng_);
    }
    return list_.items[at].id;
}

bool Sampler::is_greedy() const {
    return options_.temperature <= 0;
}

// Whether the stage needs no list: it changes single logits, or nothing.
bool Sampler::acts_on_all(Stage stage) const {
    const bool cuts = !is_greedy() && !options_.mirostat.on;
    switch (stage) {
        case Stage::penalties:
        case Stage::dry: return true;
        case Stage::temperature: return is_greedy();  // the best one is taken at the end
        case Stage::top_n_sigma: return !cuts || options_.top_n_sigma <= 0;
        case Stage::top_k: return !cuts || options_.top_k <= 0;
        case Stage::typ_p: return !cuts || options_.typical_p >= 1;
        case Stage::top_p: return !cuts || options_.top_p >= 1;
        case Stage::min_p: return !cuts || options_.min_p <= 0;
        case Stage::xtc: return !cuts || !options_.xtc.active();
    }
    return false;
}

void Sampler::adjust(Stage stage) {
    if (stage == Stage::penalties) penalise(adjusted_, window_.counts(), options_.penalties);
    if (stage == Stage::dry) dry(adjusted_, text_, options_.dry, breakers_);
}

void Sampler::run(Stage stage) {
    switch (stage) {
        case Stage::penalties: penalise(list_, window_.counts(), options_.penalties); return;
        case Stage::dry: dry(list_, text_, options_.dry, breakers_); return;
        case Stage::temperature:
            dynamic_temperature(list_, options_.temperature, options_.dynamic_range,
                                options_.dynamic_exponent);
            return;
        case Stage::top_n_sigma:
        case Stage::top_k:
        case Stage::typ_p:
        case Stage::top_p:
        case Stage::min_p:
        case Stage::xtc:
            if (!options_.mirostat.on) shorten(stage);
            return;
    }
}

void Sampler::shorten(Stage stage) {
    const auto min_keep = static_cast<std::size_t>(options_.min_keep);
    switch (stage) {
        case Stage::top_n_sigma: top_n_sigma(list_, options_.top_n_sigma, min_keep); return;
        case Stage::top_k: top_k(list_, options_.top_k, min_keep); return;
        case Stage::typ_p: typical(list_, options_.typical_p, min_keep); return;
        case Stage::top_p: top_p(list_, options_.top_p, min_keep); return;
        case Stage::min_p: min_p(list_, options_.min_p, min_keep); return;
        case Stage::xtc: xtc(list_, options_.xtc, min_keep, rng_); return;
        case Stage::penalties:
        case Stage::dry:
        case Stage::temperature: return;
    }
}

bool Sampler::changes_logits() const {
    return !options_.logit_bias.empty() || options_.penalties.active() || options_.dry.active();
}

void Sampler::accept(TokenId id) {
    if (options_.penalties.active()) window_.push(id);
    if (options_.dry.active()) text_.push_back(id);
}

void Sampler::reset() {
    rng_ = Rng(seed_);
    mirostat_ = Mirostat(options_.mirostat);
    window_.clear();
    text_.clear();
}

}  // namespace heft::gen
