// Tokens that are found in the text before anything else looks at it: control tokens such as
// <|im_end|>, and literal additions to a vocabulary. At each place the longest wins, and the
// leftmost place comes first. Immutable; safe to use from many threads.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/token.h"

namespace heft::text {

struct AddedToken {
    std::string text;
    TokenId id = kNoToken;
    bool control = false;      // found only when the caller asks for control tokens
    bool lstrip = false;       // takes the white space before it along
    bool rstrip = false;       // and after it
    bool single_word = false;  // only where no letter, digit or _ is next to it
    bool normalised = false;   // looked for after normalisation, not before
};

// A stretch of text: a token, or (id = kNoToken) text still to be encoded.
struct Segment {
    std::string_view text;
    TokenId id = kNoToken;
    bool control = false;
};

class AddedTokens {
  public:
    AddedTokens() = default;
    // Of equal texts the first counts; empty ones do not. Errors: unsupported, for a text over 4
    // KiB.
    static Result<AddedTokens> build(std::vector<AddedToken> tokens);

    bool empty() const { return tokens_.empty(); }
    const std::vector<AddedToken>& tokens() const { return tokens_; }

    // Appends the stretches of `text`, in order, none of them empty unless it is a token.
    void split(std::string_view text, bool control, std::vector<Segment>& segments) const;

  private:
    const AddedToken* longest_at(std::string_view text, std::size_t at, bool control) const;

    std::vector<AddedToken> tokens_;           // sorted by text
    std::array<std::uint32_t, 257> starts_{};  // where the texts with a first byte begin
};

}  // namespace heft::text
