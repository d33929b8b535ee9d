#include "text/utf8.h"

#include <algorithm>
#include <cstdint>

#include <simdjson.h>

namespace heft::text {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What may follow a lead byte: how many bytes, and the range of the first of them (the others are
// 80..BF). `more` = 0 for bytes that cannot lead.
struct Lead {
    std::uint8_t more, low, high;
};

constexpr Lead lead_of(std::uint8_t byte) {
    if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
    if (byte == 0xE0) return {2, 0xA0, 0xBF};
    if (byte == 0xED) return {2, 0x80, 0x9F};
    if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
    if (byte == 0xF0) return {3, 0x90, 0xBF};
    if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
    if (byte == 0xF4) return {3, 0x80, 0x8F};
    return {0, 0, 0};
}

// Appends the valid form of `bytes` to `out`; stops before a tail that more bytes could complete.
// Returns how many bytes were used.
std::size_t append_valid(std::string& out, std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const Utf8Char c = utf8_at(bytes, at);
        if (c.cut_short) break;
        out += c.valid ? bytes.substr(at, c.bytes) : kReplacement;
        at += c.bytes;
    }
    return at;
}

}  // namespace

Utf8Char utf8_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(at);
    if (first < 0x80) return {first, 1, true, false};
    const Lead lead = lead_of(first);
    if (lead.more == 0) return {0xFFFD, 1, false, false};
    char32_t code = first & (0x3FU >> lead.more);
    for (std::size_t i = 1; i <= lead.more; ++i) {
        if (at + i == text.size()) return {0xFFFD, i, false, true};
        const std::uint8_t next = byte(at + i);
        const bool fits = i == 1 ? next >= lead.low && next <= lead.high : (next & 0xC0) == 0x80;
        if (!fits) return {0xFFFD, i, false, false};
        code = (code << 6) | (next & 0x3FU);
    }
    return {code, lead.more + std::size_t{1}, true, false};
}

std::size_t char_before(std::string_view text, std::size_t end) {
    std::size_t at = end - 1;
    while (at > 0 && end - at < 4 && (static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80) --at;
    return at;
}

bool is_utf8(std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

void append_utf8(std::string& out, char32_t code) {
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            put(0xE0 | code >> 12);
        } else {
            put(0xF0 | code >> 18);
            put(0x80 | (code >> 12 & 0x3F));
        }
        put(0x80 | (code >> 6 & 0x3F));
    }
    put(0x80 | (code & 0x3F));
}

std::string with_placeholders(std::string_view text) {
    constexpr char kPlaceholder = '\x1A';
    std::string out(text);
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = utf8_at(text, at);
        if (!c.valid) out.replace(at, c.bytes, c.bytes, kPlaceholder);
        at += c.bytes;
    }
    return out;
}

std::string to_valid_utf8(std::string_view bytes) {
    if (is_utf8(bytes)) return std::string(bytes);
    Utf8Stream stream;
    std::string out = stream.push(bytes);
    out += stream.finish();
    return out;
}

std::string Utf8Stream::push(std::string_view bytes) {
    held_ += bytes;
    std::string out;
    held_.erase(0, append_valid(out, held_));
    return out;
}

std::string Utf8Stream::finish() {
    const bool unfinished = !held_.empty();
    held_.clear();
    return std::string(unfinished ? kReplacement : std::string_view{});
}

}  // namespace heft::text
