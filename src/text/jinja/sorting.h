// Order and lookup by attribute path, as several filters share them.
#pragma once

#include <vector>

#include "text/jinja/heap.h"

namespace heft::text::jinja {

// item.a.0.b for the path "a.0.b" or an index; the item itself for an absent path. Undefined
// becomes `otherwise` when that is given.
Result<Value> by_path(Interpreter& run, const Value& item, const Value& path,
                      const Value& otherwise = Value());

// The value in lower case when it is text.
Result<Value> ignoring_case(Heap& heap, const Value& value);

struct Keyed {
    std::vector<Value> key;  // compared from the left
    Value item;
};

// Stable. Refuses keys that have no order.
Status sort_by_key(Heap& heap, std::vector<Keyed>& items, bool reverse);

// Whether the keys of two items are equal.
Result<bool> same_key(Heap& heap, const Keyed& a, const Keyed& b);

// The keys of items under a path ("a,b" is two keys), folded to lower case if asked.
Result<std::vector<Keyed>> keyed(Interpreter& run, std::vector<Value> items, const Value& path,
                                 bool fold_case, const Value& otherwise = Value());

}  // namespace heft::text::jinja
