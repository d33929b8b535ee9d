// Regular expressions as JSON Schema has them (ECMA-262 with the flag u): alternatives, groups,
// classes, quantifiers, ^ and $ at the ends. What no automaton over bytes can do (look-around, back
// references, word boundaries) is refused with the reason. Private to this module.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "grammar/draft.h"

namespace heft::grammar {

// How one character of these is written in the text that the pattern is for.
using SpellChars = std::function<ExprId(const std::vector<CodeRange>&)>;

enum class PatternMode : std::uint8_t {
    whole,   // the pattern is all of the text
    search,  // it is somewhere in the text, except where ^ or $ ties it down
};

struct Pattern {
    ExprId expr = -1;
    // Characters of a matching text, at least and at most (kUnbounded).
    std::int64_t min_chars = 0, max_chars = 0;
    // The pattern is nothing but this one character, repeated; then its count can be narrowed.
    std::optional<ExprId> unit = {};
};

Result<Pattern> write_pattern(std::string_view pattern, PatternMode mode, const SpellChars& spell,
                              Draft& draft);

}  // namespace heft::grammar
