// map, select, reject, selectattr and rejectattr: filters that apply filters and tests.
#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/sorting.h"

namespace heft::text::jinja {

namespace {

// The arguments behind the first `count`, and all that have names.
Args rest_of(const Args& args, std::size_t count) {
    Args rest;
    rest.named = args.named;
    rest.positional.assign(args.positional.begin() + static_cast<std::ptrdiff_t>(count),
                           args.positional.end());
    return rest;
}

// Whatever is false, none as well, counts as an empty sequence here.
Result<std::vector<Value>> items_of(Heap& heap, const Value& value) {
    if (!truth(value)) return std::vector<Value>();
    return iterate(heap, value);
}

Result<Value> map(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(std::vector<Value> items, items_of(run.heap(), self));
    const bool by_name = !args.positional.empty();
    if (by_name) {
        HEFT_TRY(const std::string_view name, text_of(args.positional[0]));
        for (Value& item : items) {
            Args rest = rest_of(args, 1);
            HEFT_TRY(item, run.filter(name, item, rest));
        }
        return run.heap().list(std::move(items), Flavor::iterator);
    }
    HEFT_TRY(const Bound bound, Bound::bind(args, "map", {"attribute", "default"}));
    if (bound[0].is_absent()) return type_error("map requires a filter argument");
    for (Value& item : items) {
        HEFT_TRY(item, by_path(run, item, bound[0], bound[1]));
    }
    return run.heap().list(std::move(items), Flavor::iterator);
}

struct Selection {
    bool by_attribute = false;
    bool wanted = true;
};

Result<Value> choose(Interpreter& run, const Value& self, Args& args, Selection selection) {
    const std::size_t skipped = selection.by_attribute ? 1 : 0;
    if (args.positional.size() < skipped) return type_error("missing parameter for attribute name");
    HEFT_TRY(std::vector<Value> items, items_of(run.heap(), self));
    const bool has_test = args.positional.size() > skipped;
    std::string_view name;
    if (has_test) {
        HEFT_TRY(name, text_of(args.positional[skipped]));
    }
    std::vector<Value> chosen;
    for (Value& item : items) {
        HEFT_OK(run.heap().spend(1));
        Value subject = item;
        if (selection.by_attribute) {
            HEFT_TRY(subject, by_path(run, item, args.positional[0]));
        }
        bool holds = truth(subject);
        if (has_test) {
            Args rest = rest_of(args, skipped + 1);
            HEFT_TRY(holds, run.test(name, subject, rest));
        }
        if (holds == selection.wanted) chosen.push_back(std::move(item));
    }
    return run.heap().list(std::move(chosen), Flavor::iterator);
}

Result<Value> select(Interpreter& run, const Value& self, Args& args) {
    return choose(run, self, args, {false, true});
}

Result<Value> reject(Interpreter& run, const Value& self, Args& args) {
    return choose(run, self, args, {false, false});
}

Result<Value> selectattr(Interpreter& run, const Value& self, Args& args) {
    return choose(run, self, args, {true, true});
}

Result<Value> rejectattr(Interpreter& run, const Value& self, Args& args) {
    return choose(run, self, args, {true, false});
}

constexpr NativeEntry kFilters[] = {
    {"map", map},
    {"select", select},
    {"reject", reject},
    {"selectattr", selectattr},
    {"rejectattr", rejectattr},
};

}  // namespace

std::span<const NativeEntry> selection_filters() {
    return kFilters;
}

}  // namespace heft::text::jinja
