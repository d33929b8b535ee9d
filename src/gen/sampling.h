// From logits to a token: bias, then the stages in their order (docs/sampling.md), then one draw.
// The outcome depends on the options, the seed, the accepted tokens and the logits alone. Knows
// nothing of the model. One Sampler per text; not thread-safe; copies go on independently.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "gen/candidates.h"
#include "gen/logprobs.h"
#include "gen/sampling_options.h"

namespace heft::gen {

struct Choice {
    TokenId id = 0;
    // Of the model's own distribution (logprobs.h); only if the options ask for them.
    std::optional<float> logprob;
    std::vector<TokenLogprob> top;
};

class Sampler {
  public:
    // Refuses options that validate() refuses and biased ids outside the vocabulary. `breakers`
    // matters to DRY alone; see prepare_breakers().
    static Result<Sampler> make(SamplingOptions options, int n_vocab, DryBreakers breakers = {});

    // Chooses the next token; does not accept() it. `logits` has n_vocab items. A NaN counts as
    // -inf. It is an error if no token is left: all logits NaN or -inf, or all tokens forbidden.
    // `allowed`: one bit per token, of those that may be chosen at all, before anything else is
    // looked at (a grammar's mask); empty: all may.
    Result<Choice> sample(std::span<const float> logits,
                          std::span<const std::uint64_t> allowed = {});

    // Takes note of a token of the text, for penalties and DRY: every sampled one, and before them
    // those of the prompt if repeating it is to be penalised too.
    void accept(TokenId id);

    // Forgets the text and starts again from the same seed.
    void reset();

    std::uint64_t seed() const { return seed_; }  // the one in use, also if it was chosen at random
    const SamplingOptions& options() const { return options_; }

  private:
    Sampler(SamplingOptions options, DryBreakers breakers, int n_vocab, std::uint64_t seed);

    std::optional<TokenId> choose(std::span<const float> logits,
                                  std::span<const std::uint64_t> allowed);
    bool is_greedy() const;
    bool acts_on_all(Stage stage) const;
    void adjust(Stage stage);
    void run(Stage stage);
    void shorten(Stage stage);
    bool changes_logits() const;

    SamplingOptions options_;
    DryBreakers breakers_;
    std::size_t n_vocab_;
    std::uint64_t seed_;
    Rng rng_;
    Mirostat mirostat_;
    TokenWindow window_;
    std::vector<TokenId> text_;    // kept for DRY only
    std::vector<float> adjusted_;  // these two reused, so that a step allocates nothing large
    Candidates list_;
};

// The highest logit, the lowest id on ties, NaN never; none if all are NaN or -inf.
std::optional<TokenId> greedy(std::span<const float> logits);

}  // namespace heft::gen
