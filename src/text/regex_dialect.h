// Patterns written for Oniguruma or Rust, in the spelling that means the same to PCRE2. Internal to
// the module.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace heft::text {

// Errors: unsupported, with the reason alone.
Result<std::string> translate_pattern(std::string_view pattern);

}  // namespace heft::text
