#include "text/jinja/search.h"

#include <vector>

namespace heft::text::jinja {

namespace {

constexpr std::size_t kShort = 16;  // up to here the plain search is fast enough at its worst

// Knuth, Morris, Pratt. Returns how far behind `text` the match starts, or npos.
template <class Iterator>
std::size_t search(Iterator text, Iterator text_end, Iterator wanted, std::size_t size) {
    std::vector<std::size_t> border(size,
                                    0);  // of each prefix: the longest proper one it ends with
    for (std::size_t i = 1, k = 0; i < size; ++i) {
        while (k > 0
               && wanted[static_cast<std::ptrdiff_t>(i)] != wanted[static_cast<std::ptrdiff_t>(k)])
            k = border[k - 1];
        if (wanted[static_cast<std::ptrdiff_t>(i)] == wanted[static_cast<std::ptrdiff_t>(k)]) ++k;
        border[i] = k;
    }
    std::size_t matched = 0;
    std::size_t read = 0;
    for (; text != text_end; ++text) {
        ++read;
        while (matched > 0 && *text != wanted[static_cast<std::ptrdiff_t>(matched)])
            matched = border[matched - 1];
        if (*text == wanted[static_cast<std::ptrdiff_t>(matched)]) ++matched;
        if (matched == size) return read - size;
    }
    return std::string_view::npos;
}

}  // namespace

std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from) {
    if (wanted.size() <= kShort || from > text.size()) return text.find(wanted, from);
    const std::size_t at = search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(),
                                  wanted.begin(), wanted.size());
    return at == std::string_view::npos ? at : at + from;
}

std::size_t rfind_text(std::string_view text, std::string_view wanted) {
    if (wanted.size() <= kShort) return text.rfind(wanted);
    const std::size_t at = search(text.rbegin(), text.rend(), wanted.rbegin(), wanted.size());
    return at == std::string_view::npos ? at : text.size() - wanted.size() - at;
}

}  // namespace heft::text::jinja
