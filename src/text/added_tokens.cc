#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

constexpr std::size_t kLongest = 4096;

std::uint8_t first_byte(std::string_view text) {
    return static_cast<std::uint8_t>(text.front());
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
    if (begin > 0 && is_word(utf8_at(text, char_before(text, begin)).code)) return false;
    return end == text.size() || !is_word(utf8_at(text, end).code);
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        const Utf8Char c = utf8_at(text, at);
        if (!is_white_space(c.code)) break;
        at += c.bytes;
    }
    return at;
}

std::size_t skip_spaces_back(std::string_view text, std::size_t at, std::size_t stop) {
    while (at > stop) {
        const std::size_t before = char_before(text, at);
        if (before < stop || !is_white_space(utf8_at(text, before).code)) break;
        at = before;
    }
    return at;
}

}  // namespace

Result<AddedTokens> AddedTokens::build(std::vector<AddedToken> tokens) {
    AddedTokens added;
    for (auto& token : tokens) {
        if (token.text.size() > kLongest)
            return Error{Code::unsupported,
                         "added token " + std::to_string(token.id) + " is longer than 4096 bytes"};
        if (!token.text.empty()) added.tokens_.push_back(std::move(token));
    }
    auto& list = added.tokens_;
    std::stable_sort(list.begin(), list.end(),
                     [](const AddedToken& a, const AddedToken& b) { return a.text < b.text; });
    list.erase(
        std::unique(list.begin(), list.end(),
                    [](const AddedToken& a, const AddedToken& b) { return a.text == b.text; }),
        list.end());
    for (const AddedToken& token : list) ++added.starts_[first_byte(token.text) + std::size_t{1}];
    for (std::size_t i = 1; i < added.starts_.size(); ++i) added.starts_[i] += added.starts_[i - 1];
    return added;
}

// Narrows the sorted list, byte by byte, to the texts that the text at `at` begins with.
const AddedToken* AddedTokens::longest_at(std::string_view text, std::size_t at,
                                          bool control) const {
    const std::uint8_t first = static_cast<std::uint8_t>(text[at]);
    auto low = tokens_.begin() + starts_[first];
    auto high = tokens_.begin() + starts_[first + std::size_t{1}];
    const AddedToken* best = nullptr;
    for (std::size_t depth = 1; low != high; ++depth) {
        // Of texts with a common beginning the shortest sorts first.
        if (low->text.size() == depth) {
            const bool fits = !low->single_word || stands_alone(text, at, at + depth);
            if ((control || !low->control) && fits) best = &*low;
            ++low;
        }
        if (at + depth >= text.size()) break;
        const std::uint8_t byte = static_cast<std::uint8_t>(text[at + depth]);
        const auto key = [depth](const AddedToken& t) {
            return static_cast<std::uint8_t>(t.text[depth]);
        };
        low = std::partition_point(low, high, [&](const AddedToken& t) { return key(t) < byte; });
        high = std::partition_point(low, high, [&](const AddedToken& t) { return key(t) == byte; });
    }
    return best;
}

void AddedTokens::split(std::string_view text, bool control, std::vector<Segment>& segments) const {
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size() && !tokens_.empty();) {
        const std::uint8_t first = static_cast<std::uint8_t>(text[at]);
        const bool starts = starts_[first] != starts_[first + std::size_t{1}];
        const AddedToken* token = starts ? longest_at(text, at, control) : nullptr;
        if (!token) {
            ++at;
            continue;
        }
        std::size_t begin = at;
        std::size_t end = at + token->text.size();
        if (token->lstrip) begin = skip_spaces_back(text, begin, done);
        if (token->rstrip) end = skip_spaces(text, end);
        if (begin > done) segments.push_back({text.substr(done, begin - done), kNoToken, false});
        segments.push_back({text.substr(begin, end - begin), token->id, token->control});
        done = at = end;
    }
    if (done < text.size()) segments.push_back({text.substr(done), kNoToken, false});
}

}  // namespace heft::text
