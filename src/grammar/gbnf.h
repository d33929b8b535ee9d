// llama.cpp's grammar language: rules (name ::= …), literals, classes, groups, alternatives, the
// repetitions * + ? {m} {m,} {,n} {m,n}, the dot for any character, comments. Private to this
// module.
#pragma once

#include <string_view>

#include "grammar/draft.h"

namespace heft::grammar {

// Writes all rules and returns the one called `root`. Errors name the line.
Result<RuleId> write_gbnf(std::string_view source, Draft& draft);

}  // namespace heft::grammar
