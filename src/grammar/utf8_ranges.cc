#include "grammar/utf8_ranges.h"

#include <algorithm>
#include <string>

#include "text/utf8.h"

namespace heft::grammar {

namespace {

// Where the number of bytes changes.
constexpr char32_t kLastOfLength[] = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

// Both ends have `length` bytes.
void split(char32_t first, char32_t last, int length, std::vector<ByteRanges>& out) {
    for (int i = 1; i < length; ++i) {
        const char32_t low = (char32_t{1} << (6 * i)) - 1;
        if ((first & ~low) == (last & ~low)) continue;
        if ((first & low) != 0) {
            split(first, first | low, length, out);
            split((first | low) + 1, last, length, out);
            return;
        }
        if ((last & low) != low) {
            split(first, (last & ~low) - 1, length, out);
            split(last & ~low, last, length, out);
            return;
        }
    }
    std::string from, to;
    text::append_utf8(from, first);
    text::append_utf8(to, last);
    ByteRanges bytes;
    for (std::size_t i = 0; i < from.size(); ++i)
        bytes.push_back({static_cast<std::uint8_t>(from[i]), static_cast<std::uint8_t>(to[i])});
    out.push_back(std::move(bytes));
}

}  // namespace

std::vector<ByteRanges> utf8_ranges(CodeRange range) {
    std::vector<ByteRanges> out;
    char32_t first = range.first;
    for (int length = 1; length <= 4 && first <= range.last; ++length) {
        const char32_t end = kLastOfLength[length - 1];
        if (first > end) continue;
        const char32_t last = std::min(range.last, end);
        split(first, last, length, out);
        first = last + 1;
    }
    return out;
}

}  // namespace heft::grammar
