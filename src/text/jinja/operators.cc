#include "text/jinja/operators.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "text/jinja/search.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

constexpr std::string_view kSigns[] = {"==", "!=", "<", "<=", ">", ">=", "in", "not in"};

Error too_deep() {
    return Error{Code::exhausted, "a value is nested too deeply to be compared"};
}

bool both(const Value& a, const Value& b, Kind kind) {
    return a.is(kind) && b.is(kind);
}

bool is_nan(const Value& value) {
    return value.is(Kind::real) && std::isnan(value.as_real());
}

// Whole numbers are compared as such: a double holds fewer digits.
int order_numbers(const Value& a, const Value& b) {
    if (a.is_whole() && b.is_whole()) {
        return a.as_int() < b.as_int() ? -1 : (a.as_int() > b.as_int() ? 1 : 0);
    }
    return a.as_real() < b.as_real() ? -1 : (a.as_real() > b.as_real() ? 1 : 0);
}

Result<bool> equal_lists(Heap& heap, const List& a, const List& b, int depth) {
    if (a.flavor != b.flavor || a.items.size() != b.items.size()) return false;
    if (a.flavor == Flavor::iterator) return &a == &b;
    for (std::size_t i = 0; i < a.items.size(); ++i) {
        HEFT_TRY(const bool same, equal(heap, a.items[i], b.items[i], depth + 1));
        if (!same) return false;
    }
    return true;
}

Result<bool> equal_dicts(Heap& heap, const Dict& a, const Dict& b, int depth) {
    if (a.entries.size() != b.entries.size()) return false;
    for (const auto& [key, value] : a.entries) {
        const Value* other = b.find(key);
        if (other == nullptr) return false;
        HEFT_TRY(const bool same, equal(heap, value, *other, depth + 1));
        if (!same) return false;
    }
    return true;
}

Result<bool> less_lists(Heap& heap, const List& a, const List& b, int depth) {
    const std::size_t shorter = std::min(a.items.size(), b.items.size());
    for (std::size_t i = 0; i < shorter; ++i) {
        HEFT_TRY(const bool same, equal(heap, a.items[i], b.items[i], depth + 1));
        if (!same) return less(heap, a.items[i], b.items[i], depth + 1);
    }
    return a.items.size() < b.items.size();
}

bool ordered_lists(const Value& a, const Value& b) {
    return both(a, b, Kind::list) && a.list().flavor == b.list().flavor
           && a.list().flavor <= Flavor::tuple;
}

bool ordered(const Value& a, const Value& b) {
    return (a.is_number() && b.is_number()) || both(a, b, Kind::string) || ordered_lists(a, b);
}

Error no_order(CompareOp op, const Value& a, const Value& b) {
    if (a.is_undefined()) return type_error(std::string(a.complaint()));
    if (b.is_undefined()) return type_error(std::string(b.complaint()));
    return type_error(fmt::format("'{}' not supported between instances of '{}' and '{}'",
                                  kSigns[static_cast<std::size_t>(op)], type_name(a),
                                  type_name(b)));
}

// Where Python's slice starts, stops and how it steps over `size` items.
struct Bounds {
    std::int64_t start = 0;
    std::int64_t stop = 0;
    std::int64_t step = 1;
};

Result<std::int64_t> slice_bound(const Value& bound, std::int64_t missing, std::int64_t size,
                                 bool backward) {
    if (bound.is_absent() || bound.is(Kind::none)) return missing;
    if (!bound.is_whole()) return type_error("slice indices must be integers or None");
    std::int64_t at = bound.as_int();
    if (at < 0) at = at < -size ? -1 : at + size;
    if (at < 0) return backward ? -1 : 0;
    const std::int64_t most = backward ? size - 1 : size;
    return std::min(at, most);
}

Result<Bounds> slice_bounds(std::int64_t size, const Value& start, const Value& stop,
                            const Value& step) {
    Bounds bounds;
    if (!step.is_absent() && !step.is(Kind::none)) {
        if (!step.is_whole()) return type_error("slice indices must be integers or None");
        bounds.step = step.as_int();
    }
    if (bounds.step == 0) return type_error("slice step cannot be zero");
    const bool backward = bounds.step < 0;
    HEFT_TRY(bounds.start, slice_bound(start, backward ? size - 1 : 0, size, backward));
    HEFT_TRY(bounds.stop, slice_bound(stop, backward ? -1 : size, size, backward));
    bounds.step =
        std::clamp(bounds.step, -size - 1, size + 1);  // further is the same, without overflow
    return bounds;
}

Result<Value> slice_string(Heap& heap, const Value& value, const Bounds& bounds) {
    HEFT_OK(heap.spend_bytes(value.text().size()));
    Builder out(heap);
    if (bounds.step == 1) {
        out.add(code_points(value.string(), static_cast<std::size_t>(bounds.start),
                            static_cast<std::size_t>(std::max(bounds.start, bounds.stop))));
        return out.value(value.is_markup());
    }
    std::vector<std::string_view> pieces;
    const std::string_view text = value.text();
    HEFT_OK(heap.spend(value.string().length / 4));
    pieces.reserve(value.string().length);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = decode(text, at).bytes;
        pieces.push_back(text.substr(at, bytes));
        at += bytes;
    }
    for (std::int64_t i = bounds.start; bounds.step > 0 ? i < bounds.stop : i > bounds.stop;
         i += bounds.step) {
        out.add(pieces[static_cast<std::size_t>(i)]);
    }
    return out.value(value.is_markup());
}

}  // namespace

bool truth(const Value& value) {
    switch (value.kind()) {
        case Kind::absent:
        case Kind::undefined:
        case Kind::none: return false;
        case Kind::boolean: return value.as_bool();
        case Kind::integer: return value.as_int() != 0;
        case Kind::real: return value.as_real() != 0;
        case Kind::string: return !value.text().empty();
        case Kind::list: return !value.list().sized() || !value.list().items.empty();
        case Kind::dict: return !value.dict().entries.empty();
        case Kind::object: return true;
    }
    return false;
}

Result<bool> equal(Heap& heap, const Value& a, const Value& b, int depth) {
    HEFT_OK(heap.spend(1));
    if (depth > kMaxValueDepth) return too_deep();
    if (a.is_number() && b.is_number()) return order_numbers(a, b) == 0 && !is_nan(a) && !is_nan(b);
    if (a.is_undefined() && b.is_undefined()) return true;
    if (a.kind() != b.kind()) return false;
    if (a.is_string()) {
        HEFT_OK(heap.spend_bytes(std::min(a.text().size(), b.text().size())));
        return a.text() == b.text();
    }
    if (a.is(Kind::list)) return equal_lists(heap, a.list(), b.list(), depth);
    if (a.is(Kind::dict)) return equal_dicts(heap, a.dict(), b.dict(), depth);
    return a.same(b);
}

Result<bool> less(Heap& heap, const Value& a, const Value& b, int depth) {
    HEFT_OK(heap.spend(1));
    if (depth > kMaxValueDepth) return too_deep();
    if (a.is_number() && b.is_number()) return order_numbers(a, b) < 0;
    if (both(a, b, Kind::string)) {
        HEFT_OK(heap.spend_bytes(std::min(a.text().size(), b.text().size())));
        return a.text() < b.text();  // UTF-8 sorts as its code points do
    }
    if (ordered_lists(a, b)) return less_lists(heap, a.list(), b.list(), depth);
    return no_order(CompareOp::lt, a, b);
}

Result<bool> contains(Heap& heap, const Value& container, const Value& wanted) {
    if (container.is_string()) {
        if (!wanted.is_string()) {
            return type_error(fmt::format("'in <string>' requires string as left operand, not {}",
                                          type_name(wanted)));
        }
        HEFT_OK(heap.spend_bytes(container.text().size()));
        return find_text(container.text(), wanted.text()) != std::string_view::npos;
    }
    if (container.is(Kind::dict)) {
        if (!hashable(wanted))
            return type_error(fmt::format("unhashable type: '{}'", type_name(wanted)));
        return container.dict().find(wanted) != nullptr;
    }
    if (!container.is(Kind::list) && !container.is_undefined()) {
        return type_error(
            fmt::format("argument of type '{}' is not iterable", type_name(container)));
    }
    HEFT_TRY(const std::vector<Value> items, iterate(heap, container));
    for (const Value& candidate : items) {
        if (candidate.same(wanted)) return true;
        HEFT_TRY(const bool found, equal(heap, candidate, wanted));
        if (found) return true;
    }
    return false;
}

Result<bool> compare(Heap& heap, CompareOp op, const Value& a, const Value& b) {
    switch (op) {
        case CompareOp::eq: return equal(heap, a, b);
        case CompareOp::in: return contains(heap, b, a);
        case CompareOp::ne:
        case CompareOp::not_in: {
            HEFT_TRY(const bool found,
                     op == CompareOp::ne ? equal(heap, a, b) : contains(heap, b, a));
            return !found;
        }
        case CompareOp::lt:
        case CompareOp::le:
        case CompareOp::gt:
        case CompareOp::ge: break;
    }
    if (!ordered(a, b)) return no_order(op, a, b);
    const bool swapped = op == CompareOp::gt || op == CompareOp::le;
    HEFT_TRY(const bool below, swapped ? less(heap, b, a) : less(heap, a, b));
    const bool strict = op == CompareOp::lt || op == CompareOp::gt;
    if (strict) return below;
    const bool comparable = !is_nan(a) && !is_nan(b);
    return !below && comparable;
}

Result<std::int64_t> length(const Value& value) {
    switch (value.kind()) {
        case Kind::undefined: return 0;
        case Kind::string: return static_cast<std::int64_t>(value.string().length);
        case Kind::dict: return static_cast<std::int64_t>(value.dict().entries.size());
        case Kind::list:
            if (value.list().sized()) return static_cast<std::int64_t>(value.list().items.size());
            break;
        case Kind::object: {
            const auto size = value.object().size();
            if (size) return *size;
            break;
        }
        case Kind::absent:
        case Kind::none:
        case Kind::boolean:
        case Kind::integer:
        case Kind::real: break;
    }
    return type_error(fmt::format("object of type '{}' has no len()", type_name(value)));
}

Result<std::vector<Value>> iterate(Heap& heap, const Value& value) {
    std::vector<Value> items;
    switch (value.kind()) {
        case Kind::object:
            if (value.object().sequence() != nullptr)
                return value.object().sequence()->list().items;
            break;
        case Kind::undefined: return items;
        case Kind::string: {
            const std::string_view text = value.text();
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t bytes = decode(text, at).bytes;
                HEFT_OK(heap.spend(1));
                HEFT_TRY(Value piece, heap.string(text.substr(at, bytes)));
                items.push_back(std::move(piece));
                at += bytes;
            }
            return items;
        }
        case Kind::list: {
            List& list = value.list();
            HEFT_OK(heap.spend(list.items.size() / 8));
            if (list.sized()) return list.items;
            items.assign(list.items.begin() + static_cast<std::ptrdiff_t>(list.next),
                         list.items.end());
            list.next = list.items.size();
            return items;
        }
        case Kind::dict:
            HEFT_OK(heap.spend(value.dict().entries.size() / 8));
            for (const auto& entry : value.dict().entries) items.push_back(entry.first);
            return items;
        case Kind::absent:
        case Kind::none:
        case Kind::boolean:
        case Kind::integer:
        case Kind::real: break;
    }
    return type_error(fmt::format("'{}' object is not iterable", type_name(value)));
}

std::string_view code_points(const Str& string, std::size_t begin, std::size_t end) {
    const std::string_view text = string.text;
    begin = std::min(begin, string.length);
    end = std::clamp(end, begin, string.length);
    if (string.length == text.size()) return text.substr(begin, end - begin);
    std::size_t from = 0;
    for (std::size_t i = 0; i < begin; ++i) from += decode(text, from).bytes;
    std::size_t to = from;
    for (std::size_t i = begin; i < end; ++i) to += decode(text, to).bytes;
    return text.substr(from, to - from);
}

Result<Value> item(Heap& heap, const Value& value, const Value& key) {
    if (value.is(Kind::dict)) {
        if (!hashable(key)) return Value();
        const Value* found = value.dict().find(key);
        return found == nullptr ? Value() : *found;
    }
    if (value.is(Kind::object) && value.object().sequence() != nullptr) {
        return item(heap, *value.object().sequence(), key);
    }
    const bool indexable = value.is_string() || (value.is(Kind::list) && value.list().indexable());
    if (!indexable || !key.is_whole()) return Value();
    HEFT_TRY(const std::int64_t size, length(value));
    std::int64_t at = key.as_int();
    if (at < 0 && at >= -size) at += size;
    if (at < 0 || at >= size) return Value();
    const auto index = static_cast<std::size_t>(at);
    if (value.is(Kind::list)) return value.list().items[index];
    if (value.string().length != value.text().size())
        HEFT_OK(heap.spend_bytes(value.text().size()));
    return heap.string(std::string(code_points(value.string(), index, index + 1)),
                       value.is_markup());
}

Result<Value> slice(Heap& heap, const Value& value, const Value& start, const Value& stop,
                    const Value& step) {
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    const bool sliceable = value.is_string() || (value.is(Kind::list) && value.list().indexable());
    if (value.is(Kind::dict)) return type_error("unhashable type: 'slice'");
    if (!sliceable) {
        return type_error(fmt::format("'{}' object is not subscriptable", type_name(value)));
    }
    HEFT_TRY(const std::int64_t size, length(value));
    HEFT_TRY(const Bounds bounds, slice_bounds(size, start, stop, step));
    if (value.is_string()) return slice_string(heap, value, bounds);
    std::vector<Value> items;
    HEFT_OK(heap.spend(static_cast<std::size_t>(size) / 8));
    for (std::int64_t i = bounds.start; bounds.step > 0 ? i < bounds.stop : i > bounds.stop;
         i += bounds.step) {
        items.push_back(value.list().items[static_cast<std::size_t>(i)]);
    }
    return heap.list(std::move(items), value.list().flavor);
}

}  // namespace heft::text::jinja
