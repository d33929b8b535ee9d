#include "convert/tokenizer_trial.h"

#include <algorithm>
#include <string_view>

#include "text/utf8.h"

namespace heft::convert {

namespace {

using text::TokenId;
using text::Tokenizer;
using text::TokenKind;

// Texts on which two tokenizers that differ would hardly agree.
constexpr std::string_view kTrials[] = {
    "The quick brown fox jumps over the lazy dog.",
    "  two spaces, then\ttabs\t\tand\n\n\nlines \r\n end  ",
    "It's 1234567 o'clock; we'll pay $3.50 (50%)! DON'T",
    "naïve café – “quoted” Ünïcödé, здравствуй мир, 你好世界, こんにちは, مرحبا",
    "def f(x_1, y2):\n    return x_1 ** 2  # 😀👍🏽",
    "",
    " a",
    "\x01\x7f"};

constexpr TokenId kMostTried = 4096;  // of the vocabulary, evenly spread
constexpr int kTogether = 16;         // in one text

bool are_alike(const Tokenizer& own, const Tokenizer& made, Compared what, std::string_view text) {
    for (const bool special : {false, true}) {
        const auto ids = own.encode(text, {special, special});
        if (ids != made.encode(text, {special, special})) return false;
        if (what == Compared::ids) continue;
        const auto said = own.decode(ids);
        const auto also = made.decode(ids);
        if (!said || !also || *said != *also) return false;
    }
    return true;
}

std::string beginning(std::string_view text) {
    constexpr std::size_t kShown = 80;
    return text::to_valid_utf8(text.substr(0, kShown));
}

}  // namespace

std::optional<std::string> first_difference(const Tokenizer& own, const Tokenizer& made,
                                            Compared what) {
    for (const std::string_view trial : kTrials)
        if (!are_alike(own, made, what, trial)) return beginning(trial);
    const TokenId step = std::max(1, own.size() / kMostTried);
    std::string words;
    int count = 0;
    for (TokenId id = 0; id < own.size(); id += step) {
        const bool is_last = id + step >= own.size();
        const std::string_view says = own.bytes_of(id);
        if (own.kind(id) == TokenKind::normal && text::is_utf8(says)) {
            words += says;
            ++count;
        }
        if (count < kTogether && !is_last) continue;
        if (!are_alike(own, made, what, words)) return beginning(words);
        words.clear();
        count = 0;
    }
    return {};
}

}  // namespace heft::convert
