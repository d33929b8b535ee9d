// Text the way Python counts it: code points over UTF-8. A byte that is not part of a valid
// sequence counts as one code point, so every function is total over arbitrary bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace heft::text::jinja {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
};

CodePoint decode(std::string_view text, std::size_t at);  // at < text.size()
void append_utf8(std::string& out, char32_t code_point);  // surrogates become U+FFFD
std::size_t count_code_points(std::string_view text);

bool is_space(char32_t code_point);       // str.isspace
bool is_line_break(char32_t code_point);  // str.splitlines
bool is_printable(char32_t code_point);   // str.isprintable
bool is_letter(char32_t code_point);      // str.isalpha
bool is_digit(char32_t code_point);       // str.isdigit
bool is_upper(char32_t code_point);
bool is_lower(char32_t code_point);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);        // str.title: every run of letters
std::string to_capitalized(std::string_view text);  // first upper, rest lower
std::string swap_case(std::string_view text);

std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);
// Lines without (or with) their ends, as str.splitlines.
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);

}  // namespace heft::text::jinja
