// Python's operators over template values.
#pragma once

#include "text/jinja/heap.h"

namespace heft::text::jinja {

enum class ArithmeticOp : std::uint8_t {
    add,
    subtract,
    multiply,
    divide,
    floor_divide,
    modulo,
    power
};
enum class CompareOp : std::uint8_t { eq, ne, lt, le, gt, ge, in, not_in };

bool truth(const Value& value);
Result<Value> arithmetic(Heap& heap, ArithmeticOp op, const Value& left, const Value& right);
Result<Value> negate(const Value& value);

Result<bool> equal(Heap& heap, const Value& left, const Value& right, int depth = 0);
// left < right; refuses values that have no order.
Result<bool> less(Heap& heap, const Value& left, const Value& right, int depth = 0);
Result<bool> contains(Heap& heap, const Value& container, const Value& item);
Result<bool> compare(Heap& heap, CompareOp op, const Value& left, const Value& right);

// len(); refuses what has none.
Result<std::int64_t> length(const Value& value);
// The items that a for loop would see; an iterator is used up.
Result<std::vector<Value>> iterate(Heap& heap, const Value& value);

// value[key] proper: absent when there is no such item.
Result<Value> item(Heap& heap, const Value& value, const Value& key);
// value[start:stop:step]; absent or none for a bound left out.
Result<Value> slice(Heap& heap, const Value& value, const Value& start, const Value& stop,
                    const Value& step);
// Code points [begin, end) of a string; the bounds are clamped.
std::string_view code_points(const Str& string, std::size_t begin, std::size_t end);

}  // namespace heft::text::jinja
