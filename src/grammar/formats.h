// The formats of JSON Schema that are held to, as patterns. Private to this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heft::grammar {

// The pattern of a format of strings; none if it is not known.
std::optional<std::string> format_pattern(std::string_view name);
// In the order in which they are documented.
std::vector<std::string_view> format_names();

}  // namespace heft::grammar
