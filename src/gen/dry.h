// DRY, "don't repeat yourself" (p-e-w 2024): a token that would lengthen a repetition of what
// stands earlier in the text is penalised, exponentially in the length of the repetition:
// multiplier * base^(length - allowed_length), where length counts the repeated tokens before it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gen/candidates.h"

namespace heft::gen {

struct DryOptions {
    float multiplier = 0.0F;  // 0 = off
    float base = 1.75F;
    int allowed_length = 2;  // repetitions shorter than this go free
    int last_n = -1;         // how many tokens back; 0 = off, -1 = everything accepted so far
    std::vector<std::string> breakers = {"\n", ":", "\"", "*"};

    bool active() const { return multiplier != 0.0F && last_n != 0; }
};

// Where a repetition ends by definition, as token ids: a line end, a speaker's colon …
class DryBreakers {
  public:
    // A breaker is its first token and those that follow it. Empty sequences are ignored.
    void add(std::span<const TokenId> sequence);

    bool empty() const { return tails_.empty(); }

    // Is the token a whole breaker by itself?
    bool is_whole(TokenId id) const;

    // How many tokens at the end of `text` lie behind the last breaker in it; all if there is none.
    // At the last place where one begins, the longest counts.
    std::size_t tokens_behind(std::span<const TokenId> text) const;

  private:
    std::optional<std::size_t> longest_tail(TokenId head, std::span<const TokenId> behind) const;

    std::unordered_map<TokenId, std::vector<std::vector<TokenId>>> tails_;
};

// What prepare_breakers() has to know of a tokenizer.
struct BreakerVocabulary {
    int size = 0;
    std::function<std::string(TokenId)> bytes_of;
    std::function<std::vector<TokenId>(std::string_view)> encode;  // without BOS or EOS
};

// Finds the token sequences in which each string can show up: a token that contains it; and a token
// that ends in a beginning of it, with the tokens of the rest (at most 20 of them). One walk over
// the vocabulary.
DryBreakers prepare_breakers(std::span<const std::string> strings,
                             const BreakerVocabulary& vocabulary);

// `text`: all tokens so far, oldest first; the last options.last_n of them are looked at. Time and
// memory are linear in that number.
void dry(Candidates& list, std::span<const TokenId> text, const DryOptions& options,
         const DryBreakers& breakers);
// The same to the logits of all tokens.
void dry(std::span<float> logits, std::span<const TokenId> text, const DryOptions& options,
         const DryBreakers& breakers);

}  // namespace heft::gen
