// The methods of list, tuple and dict.
#include <algorithm>

#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/lookup.h"
#include "text/jinja/method_tables.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/sorting.h"

namespace heft::text::jinja {

namespace {

// A Python index into `size` items that must exist; `size` itself is refused.
Result<std::size_t> existing(std::int64_t at, std::size_t size, std::string_view what) {
    const auto count = static_cast<std::int64_t>(size);
    if (at < 0 && at >= -count) at += count;
    if (at < 0 || at >= count) return type_error(std::string(what));
    return static_cast<std::size_t>(at);
}

Result<Value> append(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "append", {"object"}, 1));
    HEFT_OK(run.heap().push(self.list(), bound[0]));
    return Value::none();
}

Result<Value> extend(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "extend", {"iterable"}, 1));
    HEFT_TRY(const std::vector<Value> items, iterate(run.heap(), bound[0]));
    for (const Value& item : items) HEFT_OK(run.heap().push(self.list(), item));
    return Value::none();
}

Result<Value> insert(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "insert", {"index", "object"}, 2));
    HEFT_TRY(std::int64_t at, bound.whole(0));
    auto& items = self.list().items;
    const auto size = static_cast<std::int64_t>(items.size());
    HEFT_OK(run.heap().spend(items.size() / 8));
    if (at < 0) at = std::max<std::int64_t>(at < -size ? 0 : at + size, 0);
    HEFT_OK(run.heap().push(self.list(), bound[1]));
    std::rotate(items.begin() + static_cast<std::ptrdiff_t>(std::min(at, size)), items.end() - 1,
                items.end());
    return Value::none();
}

Result<Value> pop(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "pop", {"index"}));
    HEFT_TRY(const std::int64_t wanted, bound.whole(0, -1));
    auto& items = self.list().items;
    HEFT_TRY(const std::size_t at,
             existing(wanted, items.size(),
                      items.empty() ? "pop from empty list" : "pop index out of range"));
    HEFT_OK(run.heap().spend((items.size() - at) / 8));
    Value popped = items[at];
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
    return popped;
}

Result<std::int64_t> position(Heap& heap, const List& list, const Value& wanted) {
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        HEFT_TRY(const bool same, equal(heap, list.items[i], wanted));
        if (same) return static_cast<std::int64_t>(i);
    }
    return std::int64_t{-1};
}

Result<Value> index(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "index", {"value"}, 1));
    HEFT_TRY(const std::int64_t at, position(run.heap(), self.list(), bound[0]));
    if (at < 0) return type_error("the value is not in the list");
    return Value::integer(at);
}

Result<Value> remove(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "remove", {"value"}, 1));
    HEFT_TRY(const std::int64_t at, position(run.heap(), self.list(), bound[0]));
    if (at < 0) return type_error("list.remove(x): x not in list");
    HEFT_OK(run.heap().spend(self.list().items.size() / 8));
    self.list().items.erase(self.list().items.begin() + at);
    return Value::none();
}

Result<Value> count(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "count", {"value"}, 1));
    std::int64_t found = 0;
    for (const Value& item : self.list().items) {
        HEFT_TRY(const bool same, equal(run.heap(), item, bound[0]));
        if (same) ++found;
    }
    return Value::integer(found);
}

Result<Value> reverse(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "reverse", {}));
    HEFT_OK(run.heap().spend(self.list().items.size() / 8));
    std::reverse(self.list().items.begin(), self.list().items.end());
    return Value::none();
}

Result<Value> sort(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "sort", {"reverse"}));
    HEFT_TRY(std::vector<Keyed> entries, keyed(run, self.list().items, Value(), false));
    HEFT_OK(sort_by_key(run.heap(), entries, bound.flag(0)));
    for (std::size_t i = 0; i < entries.size(); ++i) self.list().items[i] = entries[i].item;
    return Value::none();
}

Result<Value> copy_list(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "copy", {}));
    HEFT_TRY(std::vector<Value> items, iterate(run.heap(), self));
    return run.heap().list(std::move(items));
}

Result<Value> clear_list(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "clear", {}));
    self.list().items.clear();
    return Value::none();
}

Status must_hash(const Value& key) {
    if (hashable(key)) return {};
    return type_error(fmt::format("unhashable type: '{}'", type_name(key)));
}

Result<Value> get(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "get", {"key", "default"}, 1));
    HEFT_OK(must_hash(bound[0]));
    const Value* found = self.dict().find(bound[0]);
    if (found != nullptr) return *found;
    return bound[1].is_absent() ? Value::none() : bound[1];
}

Result<Value> view(Heap& heap, const Dict& dict, Flavor flavor) {
    std::vector<Value> items;
    items.reserve(dict.entries.size());
    for (const auto& [key, value] : dict.entries) {
        Value item = flavor == Flavor::keys ? key : value;
        if (flavor == Flavor::items) {
            HEFT_TRY(item, heap.tuple({key, value}));
        }
        items.push_back(std::move(item));
    }
    return heap.list(std::move(items), flavor);
}

template <Flavor flavor>
Result<Value> viewed(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "method", {}));
    return view(run.heap(), self.dict(), flavor);
}

Result<Value> pop_key(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "pop", {"key", "default"}, 1));
    HEFT_OK(must_hash(bound[0]));
    const Value* found = self.dict().find(bound[0]);
    if (found == nullptr) {
        if (bound[1].is_absent())
            return type_error("pop() names a key that the dictionary does not have");
        return bound[1];
    }
    Value popped = *found;
    HEFT_OK(self.dict().erase(run.heap(), bound[0]));
    return popped;
}

Result<Value> popitem(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "popitem", {}));
    if (self.dict().entries.empty()) return type_error("popitem(): dictionary is empty");
    const auto entry = self.dict().entries.back();
    HEFT_OK(self.dict().erase(run.heap(), entry.first));
    return run.heap().tuple({entry.first, entry.second});
}

Result<Value> setdefault(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "setdefault", {"key", "default"}, 1));
    HEFT_OK(must_hash(bound[0]));
    const Value* found = self.dict().find(bound[0]);
    if (found != nullptr) return *found;
    Value made = bound[1].is_absent() ? Value::none() : bound[1];
    HEFT_OK(self.dict().set(run.heap(), bound[0], made));
    return made;
}

Result<Value> update(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(merge_into(run.heap(), self.dict(), args));
    return Value::none();
}

Result<Value> copy_dict(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "copy", {}));
    HEFT_TRY(Dict * made, run.heap().dict());
    for (const auto& [key, value] : self.dict().entries) HEFT_OK(made->set(run.heap(), key, value));
    return Value(made);
}

Result<Value> clear_dict(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "clear", {}));
    self.dict().clear();
    return Value::none();
}

constexpr NativeEntry kSequenceMethods[] = {{"index", index}, {"count", count}};

constexpr NativeEntry kListMethods[] = {
    {"append", append}, {"extend", extend},  {"insert", insert},
    {"pop", pop},       {"remove", remove},  {"reverse", reverse},
    {"sort", sort},     {"copy", copy_list}, {"clear", clear_list},
};

constexpr NativeEntry kDictMethods[] = {
    {"get", get},
    {"items", viewed<Flavor::items>},
    {"keys", viewed<Flavor::keys>},
    {"values", viewed<Flavor::values>},
    {"pop", pop_key},
    {"popitem", popitem},
    {"setdefault", setdefault},
    {"update", update},
    {"copy", copy_dict},
    {"clear", clear_dict},
};

}  // namespace

Native find_list_method(const List& list, std::string_view name) {
    if (!list.indexable()) return nullptr;
    const Native found = find_native(kSequenceMethods, name);
    if (found != nullptr || list.flavor != Flavor::list) return found;
    return find_native(kListMethods, name);
}

Native find_dict_method(std::string_view name) {
    return find_native(kDictMethods, name);
}

}  // namespace heft::text::jinja
