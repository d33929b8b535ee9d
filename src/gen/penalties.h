// Changes to the logits of single tokens: penalties for what was said lately, and the user's bias.
#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "gen/candidates.h"

namespace heft::gen {

struct PenaltyOptions {
    float repeat =
        1.0F;  // divides a positive logit, multiplies a negative one (Keskar et al. 2019)
    float presence = 0.0F;   // subtracted once from every token that occurred
    float frequency = 0.0F;  // subtracted for every time it occurred
    int last_n = 64;         // how many tokens back; 0 = off, -1 = everything accepted so far

    bool active() const {
        return last_n != 0 && (repeat != 1.0F || presence != 0.0F || frequency != 0.0F);
    }
};

using TokenCounts = std::unordered_map<TokenId, int>;

// The last n tokens and how often each occurs among them, kept up to date token by token.
class TokenWindow {
  public:
    explicit TokenWindow(int last_n) : last_n_(last_n) {}  // as PenaltyOptions::last_n

    void push(TokenId id);
    void clear();
    const TokenCounts& counts() const { return counts_; }

  private:
    int last_n_;
    std::size_t oldest_ = 0;  // where the ring continues once it is full
    std::vector<TokenId> ring_;
    TokenCounts counts_;
};

TokenCounts count_tokens(std::span<const TokenId> ids);

// Of a list, or of the logits of all tokens.
void penalise(Candidates& list, const TokenCounts& counts, const PenaltyOptions& options);
void penalise(std::span<float> logits, const TokenCounts& counts, const PenaltyOptions& options);

// Added to the token's logit before anything else; -inf forbids the token.
struct LogitBias {
    TokenId id = 0;
    float bias = 0;
};

void add_bias(Candidates& list, std::span<const LogitBias> biases);
void add_bias(std::span<float> logits, std::span<const LogitBias> biases);

}  // namespace heft::gen
