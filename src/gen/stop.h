// When an answer ends: a token that the model ends with, a text that the user named, or the limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/token.h"

namespace heft::gen {

enum class FinishReason : std::uint8_t {
    stop_token,    // the model ended its answer
    stop_string,   // a stop string came up
    length,        // the limit of tokens is reached
    context_full,  // the model's context is
    cancelled,     // the user stopped it
};

// As OpenAI's API spells it: "stop" for both stops, "length" for both limits; ours is "cancelled".
std::string_view to_string(FinishReason reason);

struct StopOptions {
    std::vector<std::string> strings;
    std::vector<text::TokenId> tokens;  // the model's end-of-generation ids and the user's own
    int max_tokens = -1;                // -1: no limit but the context
};

// Refuses empty or non-UTF-8 strings, more than 256 of them, and a limit below -1.
Status validate(const StopOptions& options);

// Does the answer end with this token, the n_generated-th one (counted from 1)? A stop token counts
// before the limit.
std::optional<FinishReason> finished(const StopOptions& options, text::TokenId id, int n_generated);

// Lets text through as it is generated, but nothing that a stop string may yet turn out to cover.
// The text ends where the first stop string to be complete begins; of several that are complete at
// the same byte the longest counts. What comes out, joined, does not depend on how the text was cut
// into pieces. No piece ends within a UTF-8 character. Linear in bytes times strings; not
// thread-safe.
class StopFilter {
  public:
    // `strings` as validate() accepts them; empty ones are ignored.
    explicit StopFilter(const std::vector<std::string>& strings);

    // Takes the next piece, answers what can be shown. Nothing any more once stopped().
    std::string push(std::string_view piece);

    // The text ended for another reason: answers what was still held back.
    std::string finish();

    bool stopped() const { return hit_.has_value(); }
    const std::optional<std::string>& hit() const { return hit_; }  // the stop string that came up

  private:
    // Knuth, Morris & Pratt's automaton: how much of the string stands at the end of the text.
    struct Matcher {
        std::string text;
        std::vector<std::size_t> fallback;  // per length: the next shorter prefix that is a suffix
        std::size_t matched = 0;

        bool step(char byte);  // true when the string is complete
    };

    std::vector<Matcher> matchers_;
    std::string held_;
    std::optional<std::string> hit_;
};

}  // namespace heft::gen
