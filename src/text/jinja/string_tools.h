// What the filters on text and the methods of strings share.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "text/jinja/heap.h"

namespace heft::text::jinja {

enum class Side : std::uint8_t { left, right, both };

// Without the given characters (or white space) at the chosen ends.
Result<Value> stripped(Heap& heap, const Value& text, std::optional<std::string_view> chars,
                       bool left, bool right);
// At most `count` replacements; all of them when it is negative.
Result<Value> replaced(Heap& heap, std::string_view text, std::string_view from,
                       std::string_view to, std::int64_t count);
// Filled up to `width` code points; the side names where the text goes in the middle or not: the
// padding stands on that side.
Result<Value> padded(Heap& heap, const Value& text, std::int64_t width, std::string_view fill,
                     Side side);
// Runs of anything but white space.
std::vector<std::string_view> split_words(std::string_view text);
// str.join
Result<Value> joined(Heap& heap, std::string_view separator, const std::vector<Value>& items);

}  // namespace heft::text::jinja
