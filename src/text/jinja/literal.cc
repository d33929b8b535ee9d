#include "text/jinja/literal.h"

#include <algorithm>
#include <charconv>

#include "text/jinja/unicode.h"

namespace heft::text::jinja {

namespace {

bool is_decimal(char c) {
    return c >= '0' && c <= '9';
}

int digit_value(char c) {
    if (is_decimal(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 16;
}

// Digits with single underscores between them; where they end.
std::size_t digits_end(std::string_view text, std::size_t at, int base) {
    std::size_t end = at;
    while (at < text.size()) {
        const bool joined = text[at] == '_' && at + 1 < text.size();
        const std::size_t digit = joined ? at + 1 : at;
        if (digit_value(text[digit]) >= base) break;
        at = end = digit + 1;
    }
    return end;
}

std::string without_underscores(std::string_view token) {
    std::string plain(token);
    plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
    return plain;
}

int base_of(std::string_view token) {
    if (token.size() < 3 || token[0] != '0') return 10;
    switch (token[1]) {
        case 'x':
        case 'X': return 16;
        case 'o':
        case 'O': return 8;
        case 'b':
        case 'B': return 2;
        default: return 10;
    }
}

std::size_t real_end(std::string_view text) {
    std::size_t at = digits_end(text, 0, 10);
    const bool has_fraction = at + 1 < text.size() && text[at] == '.' && is_decimal(text[at + 1]);
    if (has_fraction) at = digits_end(text, at + 1, 10);
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        std::size_t digits = at + 1;
        if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
        if (digits < text.size() && is_decimal(text[digits])) return digits_end(text, digits, 10);
    }
    return has_fraction ? at : 0;
}

// Reads exactly (or, for octal, up to) `count` digits.
std::optional<char32_t> read_code(std::string_view body, std::size_t& at, std::size_t count,
                                  int base) {
    char32_t code = 0;
    std::size_t read = 0;
    while (read < count && at < body.size() && digit_value(body[at]) < base) {
        code = code * static_cast<char32_t>(base) + static_cast<char32_t>(digit_value(body[at++]));
        ++read;
    }
    if (read == 0 || (base == 16 && read < count) || code > 0x10FFFF) return std::nullopt;
    return code;
}

// \uD83D\uDE00 is one character, as everywhere else but in Python's own strings.
void join_surrogates(std::string_view body, std::size_t& at, char32_t& code) {
    if (code < 0xD800 || code >= 0xDC00 || body.substr(at, 2) != "\\u") return;
    std::size_t next = at + 2;
    const auto low = read_code(body, next, 4, 16);
    if (!low || *low < 0xDC00 || *low >= 0xE000) return;
    code = 0x10000 + ((code - 0xD800) << 10U) + (*low - 0xDC00);
    at = next;
}

bool unescape_code(std::string_view body, std::size_t& at, char type, std::string& out) {
    const std::size_t count = type == 'x' ? 2 : (type == 'u' ? 4 : 8);
    auto code = read_code(body, at, count, 16);
    if (!code) return false;
    join_surrogates(body, at, *code);
    append_utf8(out, *code);
    return true;
}

}  // namespace

NumberToken number_token(std::string_view text, bool may_be_real) {
    if (may_be_real) {
        const std::size_t end = real_end(text);
        if (end > 0) return {end, true};
    }
    const int base = base_of(text.substr(0, 3));
    if (base != 10) {
        const std::size_t end = digits_end(text, 2, base);
        if (end > 2) return {end, false};
    }
    if (text[0] == '0') {
        std::size_t end = 1;
        while (end < text.size() && text[end] == '0') ++end;
        return {end, false};
    }
    return {digits_end(text, 0, 10), false};
}

std::optional<std::int64_t> parse_integer(std::string_view token) {
    const std::string plain = without_underscores(token);
    const int base = base_of(plain);
    const char* begin = plain.data() + (base == 10 ? 0 : 2);
    const char* end = plain.data() + plain.size();
    std::int64_t value = 0;
    const auto read = std::from_chars(begin, end, value, base);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return value;
}

std::optional<double> parse_real(std::string_view token) {
    const std::string plain = without_underscores(token);
    double value = 0;
    const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    if (read.ec != std::errc() || read.ptr != plain.data() + plain.size()) return std::nullopt;
    return value;
}

bool unescape(std::string_view body, std::string& out) {
    constexpr std::string_view kLetters = "\\'\"abfnrtv";
    constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    for (std::size_t at = 0; at < body.size();) {
        if (body[at] != '\\' || at + 1 == body.size()) {
            out += body[at++];
            continue;
        }
        const char type = body[at + 1];
        const std::size_t simple = kLetters.find(type);
        if (simple != std::string_view::npos) {
            out += kMeanings[simple];
            at += 2;
        } else if (type == '\n') {
            at += 2;
        } else if (type == 'x' || type == 'u' || type == 'U') {
            at += 2;
            if (!unescape_code(body, at, type, out)) return false;
        } else if (type >= '0' && type <= '7') {
            ++at;
            append_utf8(out, *read_code(body, at, 3, 8));
        } else if (type == 'N') {
            return false;
        } else {
            out += '\\';
            ++at;
        }
    }
    return true;
}

}  // namespace heft::text::jinja
