// What literals in template source mean: Python's numbers and string escapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heft::text::jinja {

struct NumberToken {
    std::size_t size = 0;
    bool real = false;
};

// The number at the start of the text, which starts with a digit.
NumberToken number_token(std::string_view text, bool may_be_real);

std::optional<std::int64_t> parse_integer(std::string_view token);  // 10, 1_000, 0x1f, 0b1, 0o7
std::optional<double> parse_real(std::string_view token);

// False for an escape that Python refuses (or \N{...}, which needs a table of names).
bool unescape(std::string_view body, std::string& out);

}  // namespace heft::text::jinja
