// Reads JSON one byte at a time and says where a value ends, without building it. What it accepts
// is JSON (RFC 8259) of a depth of at most 64; escapes of halves of surrogate pairs are refused, as
// parsers do. Bytes above 0x7F in strings are not looked into.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heft::text {

enum class Step : std::uint8_t {
    more,
    done,  // the byte was the last one
    over,  // it had ended before this byte, which is not part of it (a number, at top level)
    bad,
};

inline bool is_json_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class JsonScan {
  public:
    Step feed(char c);  // after done, over or bad the scan must not go on
    // Whether a value would be whole if the text ended here (a number, at top level).
    bool may_end() const { return open_.empty() && ends_number(at_); }
    bool in_string() const { return at_ == At::string || at_ == At::escape || at_ == At::unicode; }

  private:
    enum class At : std::uint8_t {
        value,
        first_value,
        first_key,
        key,
        colon,
        after_value,
        string,
        escape,
        unicode,
        literal,
        minus,
        zero,
        digits,
        point,
        fraction,
        exponent,
        exponent_sign,
        exponent_digits,
    };

    Step value(char c);
    Step structure(char c);
    Step string(char c);
    Step escape(char c);
    Step unicode(char c);
    Step number(char c);
    Step end_value();
    static bool ends_number(At at);

    At at_ = At::value;
    bool is_key_ = false;
    std::string open_;  // the brackets around, outermost first
    std::string_view literal_;
    int n_hex_ = 0;
    unsigned code_ = 0;
    bool wants_low_ = false;  // a high surrogate was read
};

// Whether a text is one JSON value, with whitespace around it.
bool is_json(std::string_view text);

// Text as a JSON string, with quotes. Invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace heft::text
