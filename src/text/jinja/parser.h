// Tokens to a tree. Nesting is bounded; everything else is linear in the source.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/jinja/ast.h"

namespace heft::text::jinja {

// The tree takes up to a hundred times the memory of its source.
inline constexpr std::size_t kMaxSourceBytes = 1U << 20U;

Result<Body> parse_template(std::string_view source);

}  // namespace heft::text::jinja
