// A text that a verb works on: an argument, a file, or what is piped in.
#pragma once

#include <string>

#include "base/result.h"

namespace heft::app {

// `given`: whether TEXT is there; "-" and nothing at all mean standard input.
Result<std::string> text_argument(const std::string& text, bool given, const std::string& file);

}  // namespace heft::app
