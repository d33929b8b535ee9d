// A range of characters as ranges of bytes, by way of their UTF-8.
#pragma once

#include <cstdint>
#include <vector>

#include "grammar/draft.h"

namespace heft::grammar {

struct ByteRange {
    std::uint8_t first = 0, last = 0;  // both included
};

// One to four byte ranges in a row: exactly the encodings of an interval of characters.
using ByteRanges = std::vector<ByteRange>;

// The sequences whose union is the encodings of the range; it holds no surrogates.
std::vector<ByteRanges> utf8_ranges(CodeRange range);

}  // namespace heft::grammar
