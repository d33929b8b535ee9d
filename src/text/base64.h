// Base64 as RFC 4648 has it, with padding; white space is refused.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace heft::text {

std::string base64_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);  // errors: corrupt

}  // namespace heft::text
