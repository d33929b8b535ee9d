#include "text/jinja/sorting.h"

#include <algorithm>
#include <optional>

#include "text/jinja/interpreter.h"
#include "text/jinja/literal.h"
#include "text/jinja/lookup.h"
#include "text/jinja/operators.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

Result<bool> key_less(Heap& heap, const Keyed& a, const Keyed& b) {
    for (std::size_t i = 0; i < a.key.size(); ++i) {
        const bool last = i + 1 == a.key.size();
        HEFT_TRY(const bool same, last ? Result<bool>(false) : equal(heap, a.key[i], b.key[i]));
        if (!same) return less(heap, a.key[i], b.key[i]);
    }
    return false;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = std::min(text.find(separator), text.size());
        parts.push_back(text.substr(0, end));
        if (end == text.size()) return parts;
        text.remove_prefix(end + 1);
    }
}

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<Value> by_path(Interpreter& run, const Value& item, const Value& path,
                      const Value& otherwise) {
    Value found = item;
    if (path.is_whole()) {
        HEFT_TRY(found, get_item(run, item, path));
    } else if (path.is_string()) {
        for (const std::string_view part : split_at(path.text(), '.')) {
            HEFT_OK(run.heap().spend(1));
            const auto index = all_digits(part) ? parse_integer(part) : std::nullopt;
            HEFT_TRY(const Value name, run.heap().string(part));
            HEFT_TRY(found, get_item(run, found, index ? Value::integer(*index) : name));
            if (found.is_undefined() && !otherwise.is_absent()) return otherwise;
        }
    } else if (!path.is_absent() && !path.is(Kind::none)) {
        return type_error("an attribute is named by text or a number");
    }
    return found;
}

Result<Value> ignoring_case(Heap& heap, const Value& value) {
    if (!value.is_string()) return value;
    HEFT_OK(heap.spend_bytes(value.text().size() * 4));
    return heap.string(to_lower(value.text()));
}

Status sort_by_key(Heap& heap, std::vector<Keyed>& items, bool reverse) {
    std::optional<Error> error;
    std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
        if (error) return false;
        auto below = reverse ? key_less(heap, b, a) : key_less(heap, a, b);
        if (!below) error = std::move(below.error());
        return !error && *below;
    });
    if (error) return std::move(*error);
    return {};
}

Result<bool> same_key(Heap& heap, const Keyed& a, const Keyed& b) {
    for (std::size_t i = 0; i < a.key.size(); ++i) {
        HEFT_TRY(const bool same, equal(heap, a.key[i], b.key[i]));
        if (!same) return false;
    }
    return true;
}

Result<std::vector<Keyed>> keyed(Interpreter& run, std::vector<Value> items, const Value& path,
                                 bool fold_case, const Value& otherwise) {
    std::vector<Value> paths{path};
    if (path.is_string() && path.text().find(',') != std::string_view::npos) {
        paths.clear();
        for (const std::string_view part : split_at(path.text(), ',')) {
            HEFT_TRY(Value one, run.heap().string(part));
            paths.push_back(std::move(one));
        }
    }
    std::vector<Keyed> all;
    for (Value& item : items) {
        Keyed entry;
        for (const Value& one : paths) {
            HEFT_OK(run.heap().spend(2));
            HEFT_TRY(Value key, by_path(run, item, one, otherwise));
            if (fold_case) {
                HEFT_TRY(key, ignoring_case(run.heap(), key));
            }
            entry.key.push_back(std::move(key));
        }
        entry.item = std::move(item);
        all.push_back(std::move(entry));
    }
    return all;
}

}  // namespace heft::text::jinja
