#include "gen/sampling.h"

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

}  // namespace

std::optional<TokenId> greedy(std::span<const float> logits) {
    float top = kImpossible;
    std::size_t at = logits.size();
    for (std::size_t i = 0; i < logits.size(); ++i) {
        if (logits[i] > top) {  // false for NaN
            top = logits[i];
            at = i;
        }
    }
    if (at == logits.size()) return std::nullopt;
    return static_cast<TokenId>(at);
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

Result<Choice> Sampler::sample(std::span<const float> logits) {
    HEFT_CHECK(logits.size() == n_vocab_);
    const auto id = choose(logits);
    if (!id) {
        return Error{Code::corrupt,
                     "no token can follow: every logit is NaN or -inf; the model's "
                     "weights are damaged, or all tokens are forbidden by logit bias"};
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

std::optional<TokenId> Sampler::choose(std::span<const float> logits) {
    const bool is_greedy = options_.temperature <= 0;
    if (is_greedy && !changes_logits()) return greedy(logits);

    assign(list_, logits);
    add_bias(list_, options_.logit_bias);
    for (const Stage stage : options_.order) run(stage);

    std::size_t at = best(list_);
    if (list_.items[at].logit == kImpossible) return std::nullopt;
    if (!is_greedy && options_.mirostat.on) {
        at = mirostat_.draw_from(list_, rng_);
    } else if (!is_greedy) {
        softmax(list_);
        at = draw(list_, rng_);
    }
    return list_.items[at].id;
}

void Sampler::run(Stage stage) {
    const bool is_greedy = options_.temperature <= 0;
    switch (stage) {
        case Stage::penalties: penalise(list_, window_.counts(), options_.penalties); return;
        case Stage::dry: dry(list_, text_, options_.dry, breakers_); return;
        case Stage::temperature:
            if (is_greedy) return;  // the best one is taken at the end
            dynamic_temperature(list_, options_.temperature, options_.dynamic_range,
                                options_.dynamic_exponent);
            return;
        case Stage::top_n_sigma:
        case Stage::top_k:
        case Stage::typ_p:
        case Stage::top_p:
        case Stage::min_p:
        case Stage::xtc:
            if (!is_greedy && !options_.mirostat.on) shorten(stage);
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
