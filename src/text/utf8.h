// UTF-8, character by character and as a stream. Invalid bytes are never dropped silently: each
// maximal ill-formed part (Unicode 15, section 3.9, U+FFFD substitution of maximal subparts) stands
// for one U+FFFD. Free functions are safe from many threads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heft::text {

struct Utf8Char {
    char32_t code = 0;      // U+FFFD when not valid
    std::size_t bytes = 1;  // at least 1
    bool valid = true;
    bool cut_short = false;  // not valid, but could become so with more bytes after the text's end
};

// The character that starts at `at`, which lies inside `text`.
Utf8Char utf8_at(std::string_view text, std::size_t at);

// Start of the character that ends at `end` > 0.
std::size_t char_before(std::string_view text, std::size_t end);

bool is_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t code);

// Valid text unchanged; every ill-formed part as U+FFFD.
std::string to_valid_utf8(std::string_view bytes);

// Valid and of the same length: each byte that belongs to no character becomes a control character
// (U+001A), which every pattern treats as a symbol.
std::string with_placeholders(std::string_view text);

// Turns bytes that arrive in any portions into valid UTF-8. The pieces, joined, are what
// to_valid_utf8() gives for all bytes at once. Holds back three bytes at most.
class Utf8Stream {
  public:
    std::string push(std::string_view bytes);
    std::string finish();

  private:
    std::string held_;
};

}  // namespace heft::text
