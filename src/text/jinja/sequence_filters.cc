// Filters on sequences and mappings.
#include <algorithm>

#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/lookup.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/sorting.h"
#include "text/jinja/string_tools.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

Result<Value> count(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "length", {}));
    HEFT_TRY(const std::int64_t size, length(self));
    return Value::integer(size);
}

Result<Value> first(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "first", {}));
    if (self.is_string() && !self.text().empty()) return item(run.heap(), self, Value::integer(0));
    if (self.is(Kind::list)) {  // an iterator gives up one item only
        List& list = self.list();
        if (list.next < list.items.size()) return list.items[list.sized() ? 0 : list.next++];
        return run.heap().undefined("No first item, sequence was empty.");
    }
    HEFT_TRY(const std::vector<Value> items, iterate(run.heap(), self));
    if (!items.empty()) return items.front();
    return run.heap().undefined("No first item, sequence was empty.");
}

Result<Value> last(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "last", {}));
    if (self.is(Kind::list) && !self.list().sized())
        return type_error("'generator' object is not reversible");
    if (self.is(Kind::list) && !self.list().items.empty()) return self.list().items.back();
    if (self.is_string() && !self.text().empty()) return item(run.heap(), self, Value::integer(-1));
    HEFT_TRY(const std::vector<Value> items, iterate(run.heap(), self));
    if (!items.empty()) return items.back();
    return run.heap().undefined("No last item, sequence was empty.");
}

Result<Value> to_list(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "list", {}));
    HEFT_TRY(std::vector<Value> items, iterate(run.heap(), self));
    return run.heap().list(std::move(items));
}

Result<Value> join(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "join", {"d", "attribute"}));
    HEFT_TRY(std::vector<Value> items, iterate(run.heap(), self));
    if (bound.has(1)) {
        for (Value& item : items) {
            HEFT_TRY(item, by_path(run, item, bound[1]));
        }
    }
    if (bound[0].is_absent()) return joined(run.heap(), "", items);
    HEFT_TRY(const Value separator, to_str(run.heap(), bound[0]));
    return joined(run.heap(), separator.text(), items);
}

Result<Value> reverse(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "reverse", {}));
    if (self.is_string()) return slice(run.heap(), self, Value(), Value(), Value::integer(-1));
    HEFT_TRY(std::vector<Value> items, iterate(run.heap(), self));
    std::reverse(items.begin(), items.end());
    return run.heap().list(std::move(items), Flavor::iterator);
}

Result<Value> sort(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound,
             Bound::bind(args, "sort", {"reverse", "case_sensitive", "attribute"}));
    HEFT_TRY(std::vector<Value> items, iterate(run.heap(), self));
    HEFT_TRY(std::vector<Keyed> entries, keyed(run, std::move(items), bound[2], !bound.flag(1)));
    HEFT_OK(sort_by_key(run.heap(), entries, bound.flag(0)));
    std::vector<Value> sorted;
    sorted.reserve(entries.size());
    for (Keyed& entry : entries) sorted.push_back(std::move(entry.item));
    return run.heap().list(std::move(sorted));
}

Result<Value> dictsort(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "dictsort", {"case_sensitive", "by", "reverse"}));
    HEFT_TRY(const std::string_view by, bound.text(1, "key"));
    if (by != "key" && by != "value")
        return type_error("you can only sort by either \"key\" or \"value\"");
    if (self.is_undefined()) return type_error(std::string(self.complaint()));
    if (!self.is(Kind::dict))
        return type_error(fmt::format("'{} object' has no attribute 'items'", type_name(self)));
    std::vector<Value> items;
    for (const auto& [key, value] : self.dict().entries) {
        HEFT_TRY(Value pair, run.heap().tuple({key, value}));
        items.push_back(std::move(pair));
    }
    const Value place = Value::integer(by == "key" ? 0 : 1);
    HEFT_TRY(std::vector<Keyed> entries, keyed(run, std::move(items), place, !bound.flag(0)));
    HEFT_OK(sort_by_key(run.heap(), entries, bound.flag(2)));
    std::vector<Value> sorted;
    sorted.reserve(entries.size());
    for (Keyed& entry : entries) sorted.push_back(std::move(entry.item));
    return run.heap().list(std::move(sorted));
}

// Keeps the first of the items whose keys are equal.
Result<Value> unique(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "unique", {"case_sensitive", "attribute"}));
    HEFT_TRY(std::vector<Value> items, iterate(run.heap(), self));
    HEFT_TRY(Dict * seen, run.heap().dict());
    std::vector<Value> kept;
    for (Value& item : items) {
        HEFT_TRY(Value key, by_path(run, item, bound[1]));
        if (!bound.flag(0)) {
            HEFT_TRY(key, ignoring_case(run.heap(), key));
        }
        if (!hashable(key)) return type_error(fmt::format("unhashable type: '{}'", type_name(key)));
        if (seen->find(key) != nullptr) continue;
        HEFT_OK(seen->set(run.heap(), key, Value::none()));
        kept.push_back(std::move(item));
    }
    return run.heap().list(std::move(kept), Flavor::iterator);
}

Result<Value> extreme(Interpreter& run, const Value& self, Args& args, bool largest) {
    HEFT_TRY(const Bound bound,
             Bound::bind(args, largest ? "max" : "min", {"case_sensitive", "attribute"}));
    HEFT_TRY(std::vector<Value> items, iterate(run.heap(), self));
    if (items.empty()) return run.heap().undefined("No aggregated item, sequence was empty.");
    HEFT_TRY(const std::vector<Keyed> entries,
             keyed(run, std::move(items), bound[1], !bound.flag(0)));
    std::size_t best = 0;
    for (std::size_t i = 1; i < entries.size(); ++i) {
        const Value& candidate = entries[i].key[0];
        const Value& current = entries[best].key[0];
        HEFT_TRY(const bool better, largest ? less(run.heap(), current, candidate)
                                            : less(run.heap(), candidate, current));
        if (better) best = i;
    }
    return entries[best].item;
}

Result<Value> min(Interpreter& run, const Value& self, Args& args) {
    return extreme(run, self, args, false);
}

Result<Value> max(Interpreter& run, const Value& self, Args& args) {
    return extreme(run, self, args, true);
}

Result<Value> sum(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "sum", {"attribute", "start"}));
    HEFT_TRY(const std::vector<Value> items, iterate(run.heap(), self));
    Value total = bound[1].is_absent() ? Value::integer(0) : bound[1];
    if (total.is_string()) return type_error("sum() can't sum strings");
    for (const Value& item : items) {
        HEFT_TRY(const Value part, by_path(run, item, bound[0]));
        HEFT_TRY(total, arithmetic(run.heap(), ArithmeticOp::add, total, part));
    }
    return total;
}

Result<Value> items(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "items", {}));
    std::vector<Value> pairs;
    if (!self.is_undefined() && !self.is(Kind::dict))
        return type_error("can only get item pairs from a mapping");
    if (self.is(Kind::dict)) {
        for (const auto& [key, value] : self.dict().entries) {
            HEFT_TRY(Value pair, run.heap().tuple({key, value}));
            pairs.push_back(std::move(pair));
        }
    }
    return run.heap().list(std::move(pairs), Flavor::iterator);
}

Result<Value> batch(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "batch", {"linecount", "fill_with"}, 1));
    HEFT_TRY(const std::int64_t per_line, bound.whole(0));
    HEFT_TRY(const std::vector<Value> source, iterate(run.heap(), self));
    std::vector<Value> lines;
    std::vector<Value> line;
    const auto close = [&]() -> Status {
        HEFT_TRY(Value made, run.heap().list(std::exchange(line, {})));
        lines.push_back(std::move(made));
        return {};
    };
    for (const Value& one : source) {
        HEFT_OK(run.heap().spend(1));
        if (static_cast<std::int64_t>(line.size()) == per_line) HEFT_OK(close());
        line.push_back(one);
    }
    if (!line.empty()) {
        if (bound.has(1) && per_line > 0) {
            const auto full = static_cast<std::size_t>(per_line);
            if (full > run.heap().room() / sizeof(Value)) return too_large();
            if (line.size() < full) line.resize(full, bound[1]);
        }
        HEFT_OK(close());
    }
    return run.heap().list(std::move(lines), Flavor::iterator);
}

Result<Value> slices(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "slice", {"slices", "fill_with"}, 1));
    HEFT_TRY(const std::int64_t wanted, bound.whole(0));
    HEFT_TRY(const std::vector<Value> source, iterate(run.heap(), self));
    if (wanted < 1) return type_error("slice() wants at least one slice");
    const auto parts = static_cast<std::size_t>(wanted);
    HEFT_OK(run.heap().spend(parts));
    const std::size_t per_part = source.size() / parts;
    const std::size_t longer = source.size() % parts;
    std::vector<Value> made;
    std::size_t at = 0;
    for (std::size_t i = 0; i < parts; ++i) {
        const std::size_t size = per_part + (i < longer ? 1 : 0);
        std::vector<Value> part(source.begin() + static_cast<std::ptrdiff_t>(at),
                                source.begin() + static_cast<std::ptrdiff_t>(at + size));
        at += size;
        if (bound.has(1) && i >= longer) part.push_back(bound[1]);
        HEFT_TRY(Value list, run.heap().list(std::move(part)));
        made.push_back(std::move(list));
    }
    return run.heap().list(std::move(made), Flavor::iterator);
}

// (grouper, list), which can also be taken apart by those names.
class Group : public Object {
  public:
    Group(Value pair, Value grouper, Value list)
        : pair_(std::move(pair)), grouper_(std::move(grouper)), list_(std::move(list)) {}

    std::string_view type_name() const override { return "_GroupTuple"; }
    std::optional<std::int64_t> size() const override { return 2; }
    const Value* sequence() const override { return &pair_; }
    Result<Value> attribute(Interpreter& /*run*/, std::string_view name) override {
        if (name == "grouper") return grouper_;
        if (name == "list") return list_;
        return Value();
    }

  private:
    Value pair_;
    Value grouper_;
    Value list_;
};

Result<Value> groupby(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound,
             Bound::bind(args, "groupby", {"attribute", "default", "case_sensitive"}, 1));
    HEFT_TRY(std::vector<Value> source, iterate(run.heap(), self));
    HEFT_TRY(std::vector<Keyed> entries,
             keyed(run, std::move(source), bound[0], !bound.flag(2), bound[1]));
    HEFT_OK(sort_by_key(run.heap(), entries, false));
    std::vector<Value> groups;
    for (std::size_t begin = 0; begin < entries.size();) {
        std::size_t end = begin;
        std::vector<Value> members;
        while (end < entries.size()) {
            HEFT_TRY(const bool same, same_key(run.heap(), entries[begin], entries[end]));
            if (!same) break;
            members.push_back(entries[end++].item);
        }
        HEFT_TRY(const Value grouper, by_path(run, entries[begin].item, bound[0], bound[1]));
        HEFT_TRY(const Value list, run.heap().list(std::move(members)));
        HEFT_TRY(const Value pair, run.heap().tuple({grouper, list}));
        HEFT_TRY(Group * group, run.heap().make<Group>(pair, grouper, list));
        groups.emplace_back(group);
        begin = end;
    }
    return run.heap().list(std::move(groups));
}

Result<Value> otherwise(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "default", {"default_value", "boolean"}));
    if (!self.is_undefined() && !(bound.flag(1) && !truth(self))) return self;
    if (bound[0].is_absent()) return run.heap().string(std::string_view());
    return bound[0];
}

Result<Value> attr(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "attr", {"name"}, 1));
    HEFT_TRY(const std::string_view name, bound.text(0));
    // Methods and attributes only: an item of a mapping is none.
    if (self.is(Kind::dict) && find_dict_method(name) == nullptr) {
        return run.heap().undefined(fmt::format("'dict object' has no attribute '{}'", name));
    }
    return get_attribute(run, self, name);
}

constexpr NativeEntry kFilters[] = {
    {"length", count},      {"count", count},       {"first", first},     {"last", last},
    {"list", to_list},      {"join", join},         {"reverse", reverse}, {"sort", sort},
    {"dictsort", dictsort}, {"unique", unique},     {"min", min},         {"max", max},
    {"sum", sum},           {"items", items},       {"batch", batch},     {"slice", slices},
    {"groupby", groupby},   {"default", otherwise}, {"d", otherwise},     {"attr", attr},
};

}  // namespace

std::span<const NativeEntry> sequence_filters() {
    return kFilters;
}

}  // namespace heft::text::jinja
