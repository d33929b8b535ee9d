#include "convert/rwkv_vocabulary.h"

#include <fmt/format.h>

#include "text/unicode.h"
#include "text/utf8.h"

namespace heft::convert {

namespace {

using text::TokenId;
using text::TokenKind;

void append_code(std::string& out, char32_t code) {
    const auto number = static_cast<std::uint32_t>(code);
    if (code < 0x100)
        out += fmt::format("\\x{:02x}", number);
    else if (code < 0x10000)
        out += fmt::format("\\u{:04x}", number);
    else
        out += fmt::format("\\U{:08x}", number);
}

void append_char(std::string& out, char32_t code, char quote) {
    switch (code) {
        case '\t': out += "\\t"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\\': out += "\\\\"; return;
        default: break;
    }
    if (code == static_cast<char32_t>(quote))
        out.append({'\\', quote});
    else if (text::is_printable(code))
        text::append_utf8(out, code);
    else
        append_code(out, code);
}

}  // namespace

std::string python_literal(std::string_view bytes) {
    const bool has_single = bytes.find('\'') != std::string_view::npos;
    const bool has_double = bytes.find('"') != std::string_view::npos;
    const char quote = has_single && !has_double ? '"' : '\'';
    std::string out(1, quote);
    if (text::is_utf8(bytes)) {
        for (std::size_t at = 0; at < bytes.size();) {
            const text::Utf8Char c = text::utf8_at(bytes, at);
            append_char(out, c.code, quote);
            at += c.bytes;
        }
    } else {
        out.insert(0, 1, 'b');
        for (const char c : bytes) {
            const auto byte = static_cast<std::uint8_t>(c);
            if (byte < 0x80)
                append_char(out, byte, quote);
            else
                append_code(out, byte);
        }
    }
    return out += quote;
}

std::string rwkv_vocabulary(const text::Tokenizer& tokenizer) {
    std::string out;
    for (TokenId id = 0; id < tokenizer.size(); ++id) {
        const std::string_view bytes = tokenizer.bytes_of(id);
        if (tokenizer.kind(id) != TokenKind::normal || bytes.empty()) continue;
        out += fmt::format("{} {} {}\n", id, python_literal(bytes), bytes.size());
    }
    return out;
}

}  // namespace heft::convert
