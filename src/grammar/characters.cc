#include "grammar/characters.h"

#include <algorithm>

#include "text/utf8.h"

namespace heft::grammar {

namespace {

constexpr int kMaxNumber = 1'000'000;

std::optional<int> hex_digit(char32_t c) {
    if (c >= U'0' && c <= U'9') return static_cast<int>(c - U'0');
    if (c >= U'a' && c <= U'f') return static_cast<int>(c - U'a') + 10;
    if (c >= U'A' && c <= U'F') return static_cast<int>(c - U'A') + 10;
    return std::nullopt;
}

}  // namespace

Result<Characters> Characters::of(std::string_view text) {
    Characters out;
    for (std::size_t at = 0; at < text.size();) {
        const text::Utf8Char next = text::utf8_at(text, at);
        if (!next.valid || next.code == 0)
            return Error{Code::invalid, next.valid ? "the text holds a zero character"
                                                   : "the text is not valid UTF-8"};
        out.codes_ += next.code;
        at += next.bytes;
    }
    return out;
}

bool Characters::take_if(char32_t code) {
    if (peek() != code || at_end()) return false;
    ++at_;
    return true;
}

bool Characters::take_word(std::string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i)
        if (peek(i) != static_cast<char32_t>(word[i])) return false;
    at_ += word.size();
    return true;
}

std::optional<int> Characters::number() {
    int value = 0;
    bool any = false;
    while (peek() >= U'0' && peek() <= U'9') {
        value = value * 10 + static_cast<int>(take() - U'0');
        any = true;
        if (value > kMaxNumber) return std::nullopt;
    }
    if (!any) return std::nullopt;
    return value;
}

std::optional<char32_t> Characters::hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
        const auto digit = hex_digit(peek());
        if (!digit) return std::nullopt;
        value = (value << 4) | static_cast<char32_t>(*digit);
        take();
    }
    return value;
}

std::size_t Characters::line() const {
    const auto end = codes_.begin() + static_cast<std::ptrdiff_t>(at_);
    return 1 + static_cast<std::size_t>(std::count(codes_.begin(), end, U'\n'));
}

}  // namespace heft::grammar
