#include "govern/words.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "text/unicode.h"
#include "text/utf8.h"

namespace heft::govern {

namespace {

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// An HTML character reference at the beginning of `text` ("&amp;", "&#8220;"): its length and the
// character that it stands for; a space for those with names, but for the four of markup. Length 0:
// it is none. An escaped escape ("&amp;quot;") is one reference.
struct Reference {
    std::size_t length = 0;
    char32_t character = ' ';
};

char32_t named(std::string_view name) {
    if (name == "lt") return '<';
    return name == "gt" ? '>' : ' ';
}

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
        return is_name ? Reference{at + end + 1, named(name)} : only_ampersands;
    }
    name.remove_prefix(1);
    const bool is_hex = !name.empty() && lower(name.front()) == 'x';
    if (is_hex) name.remove_prefix(1);
    std::uint32_t code = 0;
    const char* name_end = name.data() + name.size();
    const auto [parsed, error] = std::from_chars(name.data(), name_end, code, is_hex ? 16 : 10);
    if (error != std::errc() || parsed != name_end) return only_ampersands;
    return {at + end + 1, code};
}

std::string unescaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Reference reference = reference_at(text.substr(at));
        if (reference.length == 0) {
            out += text[at++];
        } else {
            text::append_utf8(out, reference.character);
            at += reference.length;
        }
    }
    return out;
}

// Elements that a page dresses a text in. Others, such as "<name of author>", are the text's own.
constexpr std::string_view kElements[] = {
    "a",  "b",  "blockquote", "body", "br",   "center", "code", "dd",      "div",   "dl",   "dt",
    "em", "h1", "h2",         "h3",   "h4",   "h5",     "h6",   "head",    "hr",    "html", "i",
    "li", "ol", "p",          "pre",  "span", "strong", "sub",  "sup",     "table", "td",   "th",
    "tr", "tt", "u",          "ul",   "font", "tbody",  "main", "section", "small"};

// Length of the tag at the beginning of `text`; 0: it is none.
std::size_t tag_at(std::string_view text) {
    constexpr std::size_t kLongest = 512;
    text = text.substr(0, kLongest);
    if (text.empty() || text.front() != '<') return 0;
    const auto end = text.find_first_of("<>", 1);
    if (end == std::string_view::npos || text[end] != '>') return 0;
    std::string name;
    for (std::size_t at = text[1] == '/' ? 2 : 1; is_alnum(lower(text[at])); ++at)
        name += lower(text[at]);
    const bool is_known =
        std::find(std::begin(kElements), std::end(kElements), name) != std::end(kElements);
    return is_known ? end + 1 : 0;
}

// Length of the Markdown fence ("```text") at the beginning of `text`; 0: it is none.
std::size_t fence_at(std::string_view text) {
    if (!text.starts_with("```") && !text.starts_with("~~~")) return 0;
    std::size_t at = 3;
    while (at < text.size() && is_alnum(lower(text[at]))) ++at;
    return at == text.size() || text[at] == '\n' || text[at] == '\r' ? at : 0;
}

}  // namespace

std::string words_of(std::string_view text) {
    const std::string plain = unescaped(text);
    std::string out;
    out.reserve(plain.size());
    bool gap = false;
    for (std::size_t at = 0; at < plain.size();) {
        const std::string_view rest = std::string_view(plain).substr(at);
        const std::size_t markup = std::max(tag_at(rest), fence_at(rest));
        const text::Utf8Char next = text::utf8_at(plain, at);
        const bool is_ascii = next.code < 128;
        const char c = is_ascii ? lower(plain[at]) : '\0';
        at += markup != 0 ? markup : next.bytes;
        if (markup != 0 || (is_ascii ? !is_alnum(c) : !text::is_word(next.code))) {
            gap = true;
            continue;
        }
        if (gap && !out.empty()) out += ' ';
        gap = false;
        if (is_ascii) {
            out += c;
        } else {
            text::to_lower(next.code, out);
        }
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
