// Text in lines that fit a terminal of 80 columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heft::app {

inline constexpr std::size_t kReportColumns = 80;

// Words in lines of at most `columns`; a longer word has a line of its own. At least one line.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

// "name          text, wrapped, with the following lines under the text", and a newline.
std::string paragraph(std::string_view name, std::string_view text, std::size_t indent);

}  // namespace heft::app
