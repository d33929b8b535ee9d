#include "text/jinja/natives.h"

#include <map>

#include <fmt/format.h>

#include "text/jinja/operators.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

using Table = std::map<std::string_view, Native>;

Native look_up(const Table& table, std::string_view name) {
    const auto at = table.find(name);
    return at == table.end() ? nullptr : at->second;
}

Table table_of(std::initializer_list<std::span<const NativeEntry>> parts) {
    Table table;
    for (const auto& part : parts) {
        for (const NativeEntry& entry : part) table.emplace(entry.name, entry.native);
    }
    return table;
}

}  // namespace

Native find_filter(std::string_view name) {
    static const Table kTable =
        table_of({text_filters(), number_filters(), sequence_filters(), selection_filters()});
    return look_up(kTable, name);
}

Native find_test(std::string_view name) {
    static const Table kTable = table_of({all_tests()});
    return look_up(kTable, name);
}

Result<Bound> Bound::bind(const Args& args, std::string_view function,
                          std::initializer_list<std::string_view> names, std::size_t required) {
    Bound bound;
    bound.function_ = function;
    bound.values_.resize(names.size());
    if (args.positional.size() > names.size()) {
        return type_error(fmt::format("{}() takes at most {} argument(s) ({} given)", function,
                                      names.size(), args.positional.size()));
    }
    for (std::size_t i = 0; i < args.positional.size(); ++i) bound.values_[i] = args.positional[i];
    for (const auto& [name, value] : args.named) {
        std::size_t at = 0;
        while (at < names.size() && names.begin()[at] != name) ++at;
        if (at == names.size()) {
            return type_error(
                fmt::format("{}() got an unexpected keyword argument '{}'", function, name));
        }
        if (!bound.values_[at].is_absent()) {
            return type_error(
                fmt::format("{}() got multiple values for argument '{}'", function, name));
        }
        bound.values_[at] = value;
    }
    for (std::size_t i = 0; i < required; ++i) {
        if (bound.values_[i].is_absent()) {
            return type_error(
                fmt::format("{}() missing required argument '{}'", function, names.begin()[i]));
        }
    }
    return bound;
}

bool Bound::flag(std::size_t i, bool otherwise) const {
    return values_[i].is_absent() ? otherwise : truth(values_[i]);
}

Result<std::int64_t> Bound::whole(std::size_t i, std::int64_t otherwise) const {
    const Value& value = values_[i];
    if (value.is_absent() || value.is(Kind::none)) return otherwise;
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    if (value.is_whole()) return value.as_int();
    return type_error(fmt::format("{}() wants an integer, not '{}'", function_, type_name(value)));
}

Result<std::string_view> Bound::text(std::size_t i, std::string_view otherwise) const {
    if (values_[i].is_absent() || values_[i].is(Kind::none)) return otherwise;
    return text_of(values_[i]);
}

Result<std::string_view> text_of(const Value& value) {
    if (value.is_string()) return value.text();
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    return type_error(fmt::format("expected a str, found '{}'", type_name(value)));
}

Result<Value> soft_str(Heap& heap, const Value& value) {
    if (value.is_string()) return value;
    return to_str(heap, value);
}

}  // namespace heft::text::jinja
