#include "text/jinja/unicode.h"

#include <utf8proc.h>

namespace heft::text::jinja {

namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kSharpS = 0xDF;

bool is_ascii(std::string_view text) {
    unsigned char seen = 0;  // without an early exit, so that the compiler can take many at a time
    for (const char c : text) seen |= static_cast<unsigned char>(c);
    return seen < 0x80;
}

utf8proc_category_t category(char32_t c) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

char32_t upper(char32_t c) {
    return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}

char32_t lower(char32_t c) {
    return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

void append_upper(std::string& out, char32_t c) {
    if (c == kSharpS) {
        out += "SS";  // the one common letter whose upper case is two
    } else {
        append_utf8(out, upper(c));
    }
}

// Applies `each(out, code point, bytes)` to all of the text; bad bytes are copied unchanged.
template <class Each>
std::string map_text(std::string_view text, const Each& each) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = decode(text, at);
        if (c.bytes == 1 && c.value == kReplacement) {
            out.push_back(text[at]);
        } else {
            each(out, c.value);
        }
        at += c.bytes;
    }
    return out;
}

}  // namespace

CodePoint decode(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - at < bytes) return {kReplacement, 1};
    char32_t value = lead & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[at + i]);
        if ((next & 0xC0U) != 0x80) return {kReplacement, 1};
        value = (value << 6U) | (next & 0x3FU);
    }
    constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < kSmallest[bytes] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
        return {kReplacement, 1};
    }
    return {value, bytes};
}

void append_utf8(std::string& out, char32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = kReplacement;
    const auto tail = [&](unsigned shift) {
        out.push_back(static_cast<char>(0x80U | ((c >> shift) & 0x3FU)));
    };
    if (c < 0x80) {
        out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
        out.push_back(static_cast<char>(0xC0U | (c >> 6U)));
        tail(0);
    } else if (c < 0x10000) {
        out.push_back(static_cast<char>(0xE0U | (c >> 12U)));
        tail(6);
        tail(0);
    } else {
        out.push_back(static_cast<char>(0xF0U | (c >> 18U)));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::size_t count_code_points(std::string_view text) {
    if (is_ascii(text)) return text.size();
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) at += decode(text, at).bytes;
    return count;
}

bool is_space(char32_t c) {
    if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028
           || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_line_break(char32_t c) {
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028
           || c == 0x2029;
}

bool is_printable(char32_t c) {
    if (c < 0x7F) return c >= 0x20;
    switch (category(c)) {
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CO:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
        case UTF8PROC_CATEGORY_ZS: return false;
        default: return true;
    }
}

bool is_letter(char32_t c) {
    const auto k = category(c);
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool is_digit(char32_t c) {
    return category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_upper(char32_t c) {
    return category(c) == UTF8PROC_CATEGORY_LU;
}

bool is_lower(char32_t c) {
    return category(c) == UTF8PROC_CATEGORY_LL;
}

std::string to_upper(std::string_view text) {
    return map_text(text, [](std::string& out, char32_t c) { append_upper(out, c); });
}

std::string to_lower(std::string_view text) {
    return map_text(text, [](std::string& out, char32_t c) { append_utf8(out, lower(c)); });
}

std::string to_title(std::string_view text) {
    bool inside = false;
    return map_text(text, [&](std::string& out, char32_t c) {
        if (inside) {
            append_utf8(out, lower(c));
        } else {
            append_utf8(out,
                        static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
        }
        inside = is_upper(c) || is_lower(c) || category(c) == UTF8PROC_CATEGORY_LT;
    });
}

std::string to_capitalized(std::string_view text) {
    bool first = true;
    return map_text(text, [&](std::string& out, char32_t c) {
        append_utf8(out, first ? upper(c) : lower(c));
        first = false;
    });
}

std::string swap_case(std::string_view text) {
    return map_text(text, [](std::string& out, char32_t c) {
        if (is_upper(c)) {
            append_utf8(out, lower(c));
        } else {
            append_upper(out, c);
        }
    });
}

std::string_view strip_left(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const CodePoint c = decode(text, at);
        if (!is_space(c.value)) break;
        at += c.bytes;
    }
    return text.substr(at);
}

std::string_view strip_right(std::string_view text) {
    while (!text.empty()) {
        std::size_t at = text.size() - 1;
        while (at > 0 && text.size() - at < 4
               && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) {
            --at;
        }
        const CodePoint c = decode(text, at);
        if (at + c.bytes != text.size() || !is_space(c.value)) break;
        text = text.substr(0, at);
    }
    return text;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
    std::vector<std::string_view> lines;
    std::size_t start = 0;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = decode(text, at);
        std::size_t end = at + c.bytes;
        if (is_line_break(c.value)) {
            if (c.value == '\r' && end < text.size() && text[end] == '\n') ++end;
            lines.push_back(text.substr(start, (keep_ends ? end : at) - start));
            start = end;
        }
        at = end;
    }
    if (start < text.size()) lines.push_back(text.substr(start));
    return lines;
}

}  // namespace heft::text::jinja
