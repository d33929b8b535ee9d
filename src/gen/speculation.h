// Guessing tokens ahead of the model (Leviathan et al. 2023; Saxena 2023 for n-grams), so that one
// pass checks several. A guess is never believed: the ordinary sampler draws from the model's own
// logits, and what it draws counts. The text is the same whatever is guessed (docs/speculation.md).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/token.h"

namespace heft::gen {

using text::TokenId;

enum class Guesser : std::uint8_t {
    off,
    ngram,  // the text itself: what followed when its last tokens stood there before
    draft,  // a smaller model
};

// "off", "ngram"; anything else names a draft model.
Guesser guesser_of(std::string_view name);
std::string_view to_string(Guesser guesser);

struct SpeculationOptions {
    Guesser guesser = Guesser::off;
    int n_max = 8;        // guesses checked at once, at most
    int n_min = 1;        // fewer are not worth a try
    float p_min = 0.75F;  // a draft model goes on while its best token is as probable as this
    bool always = false;  // check every guess, also where that has not paid lately
};

// Refuses what has no meaning, in a sentence that names the option, its value and its range.
Status validate(const SpeculationOptions& options);

struct Proposal {
    std::vector<TokenId> tokens;
    int trust = 0;  // 0 to kTrusts - 1: how good the reason is; the odds are learned for each apart
};

inline constexpr int kTrusts = 8;

// Where guesses come from. One for each text; not thread-safe.
class Proposer {
  public:
    Proposer() = default;
    Proposer(const Proposer&) = delete;
    Proposer& operator=(const Proposer&) = delete;
    virtual ~Proposer() = default;

    // Whether guessing takes time that is worth saving while the guesses are bad.
    virtual bool is_dear() const = 0;

    // Told of the prompt before the first guess.
    virtual Status begin(std::span<const TokenId> text) = 0;

    // At most `most` > 0 tokens that may follow `text`; none where there is no idea.
    virtual Result<Proposal> propose(std::span<const TokenId> text, int most) = 0;
};

// Looks for the place where the longest ending of the text stands a second time, the latest of
// equals, and proposes what followed there. Time is linear in the length of the text.
class NgramProposer : public Proposer {
  public:
    bool is_dear() const override { return false; }
    Status begin(std::span<const TokenId> /*text*/) override { return {}; }
    Result<Proposal> propose(std::span<const TokenId> text, int most) override;
};

}  // namespace heft::gen
