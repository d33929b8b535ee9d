// Finding text in text in linear time, whatever the texts. std::string_view::find is quadratic when
// a long pattern almost matches everywhere, which a template can arrange.
#pragma once

#include <cstddef>
#include <string_view>

namespace heft::text::jinja {

// Like find and rfind of std::string_view, npos included.
std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from = 0);
std::size_t rfind_text(std::string_view text, std::string_view wanted);

}  // namespace heft::text::jinja
