#include "govern/words.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace heft::govern {

namespace {

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// An HTML character reference at the beginning of `text` ("&amp;", "&#8220;"): its length and the
// ASCII character that it stands for, or a space for any other. Length 0: it is none. An escaped
// escape ("&amp;quot;") is one reference.
struct Reference {
    std::size_t length = 0;
    char character = ' ';
};

Reference reference_at(std::string_view text) {
    constexpr std::string_view kAmp = "amp;";
    constexpr std::size_t kLongest = 32;
    if (text.empty() || text.front() != '&') return {};
    std::size_t at = 1;
    while (text.substr(at).starts_with(kAmp)) at += kAmp.size();
    const std::string_view rest = text.substr(at, kLongest);
    const auto end = rest.find(';');
    const Reference only_ampersands{at > 1 ? at : 0, ' '};
    if (end == std::string_view::npos || end == 0) return only_ampersands;
    std::string_view name = rest.substr(0, end);
    if (name.front() != '#') {
        const bool is_name =
            std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(lower(c)); });
        return is_name ? Reference{at + end + 1, ' '} : only_ampersands;
    }
    name.remove_prefix(1);
    const bool is_hex = !name.empty() && lower(name.front()) == 'x';
    if (is_hex) name.remove_prefix(1);
    std::uint32_t code = 0;
    const char* name_end = name.data() + name.size();
    const auto [parsed, error] = std::from_chars(name.data(), name_end, code, is_hex ? 16 : 10);
    if (error != std::errc() || parsed != name_end) return only_ampersands;
    return {at + end + 1, code < 128 ? static_cast<char>(code) : ' '};
}

}  // namespace

std::string words_of(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    bool gap = false;
    for (std::size_t at = 0; at < text.size();) {
        char c = text[at];
        std::size_t length = 1;
        if (c == '&') {
            const Reference reference = reference_at(text.substr(at));
            if (reference.length != 0) {
                c = reference.character;
                length = reference.length;
            }
        }
        at += length;
        c = lower(c);
        if (!is_alnum(c)) {
            gap = true;
            continue;
        }
        if (gap && !out.empty()) out += ' ';
        gap = false;
        out += c;
    }
    return out;
}

bool has_phrase(std::string_view words, std::string_view phrase) {
    if (phrase.empty()) return false;
    for (auto at = words.find(phrase); at != std::string_view::npos;
         at = words.find(phrase, at + 1)) {
        const std::size_t end = at + phrase.size();
        if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' '))
            return true;
    }
    return false;
}

bool begins_with(std::string_view words, std::string_view phrase) {
    return !phrase.empty() && words.starts_with(phrase);
}

std::string repository_name(std::string_view reference) {
    while (reference.ends_with('/')) reference.remove_suffix(1);
    const auto slash = reference.rfind('/');
    if (slash != std::string_view::npos) reference.remove_prefix(slash + 1);
    std::string name;
    for (const char c : reference) {
        const bool is_gap = c == ' ' || c == '_' || c == '-';
        if (!is_gap) {
            name += lower(c);
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    return name;
}

bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0;
    std::size_t star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos && text[resume] != '/') {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace heft::govern
