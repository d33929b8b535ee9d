// Why a reply ended, as APIs tell it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/stop.h"

namespace heft::serve {

enum class Finish : std::uint8_t { stop, stop_string, length, tool_calls, cancelled };

Finish finish_of(gen::FinishReason reason);

// The stop string that ended the text: the first to be complete, the longest of equals. Empty if
// there is none in it.
std::string stop_string_in(const std::string& text, const std::vector<std::string>& stop);

}  // namespace heft::serve
