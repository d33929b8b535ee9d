#include "format/yaml_scalar.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

namespace heft::format {

namespace {

using Json = nlohmann::ordered_json;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    for (const auto word : words)
        if (text == word) return true;
    return false;
}

template <class T>
bool read_whole(std::string_view digits, int base, T& value) {
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, value, base);
    return error == std::errc() && at == end && !digits.empty();
}

// 0o17, 0x1f, -12, +12.
bool read_integer(std::string_view text, Json& out) {
    int base = 10;
    if (text.starts_with("0o")) base = 8;
    if (text.starts_with("0x")) base = 16;
    if (base != 10) text.remove_prefix(2);
    if (base == 10 && text.starts_with('+')) text.remove_prefix(1);
    if (text.starts_with('+') || (base != 10 && text.starts_with('-'))) return false;
    std::int64_t whole = 0;
    std::uint64_t large = 0;
    if (read_whole(text, base, whole)) {
        out = whole;
    } else if (read_whole(text, base, large)) {
        out = large;
    } else {
        return false;
    }
    return true;
}

// Only what the schema's pattern allows: from_chars would take "inf" and "nan" as well.
bool read_real(std::string_view text, Json& out) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const std::string_view unsigned_part = text.starts_with('-') ? text.substr(1) : text;
    if (unsigned_part.find_first_of("0123456789") == std::string_view::npos
        || unsigned_part.find_first_not_of("0123456789.eE+-") != std::string_view::npos
        || unsigned_part.find_first_of("0123456789.") != 0)
        return false;
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || at != end || !std::isfinite(value)) return false;
    out = value;
    return true;
}

}  // namespace

Json yaml_scalar(const std::string& text) {
    if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return {};
    if (is_one_of(text, {"true", "True", "TRUE"})) return true;
    if (is_one_of(text, {"false", "False", "FALSE"})) return false;
    constexpr std::size_t kLongestNumber = 400;  // a number any longer is text to everyone
    Json number;
    if (text.size() <= kLongestNumber && (read_integer(text, number) || read_real(text, number)))
        return number;
    return text;
}

}  // namespace heft::format
