#include "govern/use.h"

#include <cmath>

#include <fmt/format.h>

#include "format/yaml.h"
#include "govern/tree.h"

namespace heft::govern {

namespace {

Result<double> amount(const std::string& name, const Json& value) {
    if (!value.is_number()) return Error{Code::invalid, name + ": not a number"};
    const double number = value.get<double>();
    if (!std::isfinite(number) || number < 0)
        return Error{Code::invalid, name + ": not a number from 0 on"};
    return number;
}

// A list of places reads like one text.
Result<std::string> place(const std::string& name, const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    std::string places;
    if (value.is_array())
        for (const Json& item : value) {
            if (!item.is_string()) return Error{Code::invalid, name + ": not a country"};
            places += (places.empty() ? "" : ", ") + item.get<std::string>();
        }
    if (places.empty()) return Error{Code::invalid, name + ": not a country"};
    return places;
}

}  // namespace

bool is_month(std::string_view text) {
    if (text.size() != 7 || text[4] != '-') return false;
    for (const std::size_t i : {0U, 1U, 2U, 3U, 5U, 6U})
        if (text[i] < '0' || text[i] > '9') return false;
    const int month = (text[5] - '0') * 10 + (text[6] - '0');
    return month >= 1 && month <= 12;
}

Result<Use> Use::read(std::string_view text, const Vocabulary& vocabulary) {
    HEFT_TRY(const Json tree, format::read_yaml_or_json(text));
    return from_tree(tree, vocabulary);
}

Result<Use> Use::from_tree(const Json& tree, const Vocabulary& vocabulary) {
    Use use;
    if (tree.is_null()) return use;
    if (!tree.is_object())
        return Error{Code::invalid,
                     "the description of a use is a mapping, such as {commercial: "
                     "true, country: DE}"};
    for (const auto& [key, value] : tree.items()) HEFT_OK(use.take(key, value, vocabulary));
    return use;
}

Status Use::take(const std::string& key, const Json& value, const Vocabulary& vocabulary) {
    const FactRow* row = vocabulary.fact(key);
    if (row == nullptr) {
        if (value.is_boolean())
            state(key, value.get<bool>());
        else if (!value.is_null())
            not_understood_.push_back(key);
        return {};
    }
    if (value.is_null()) {
        unknown_.insert(row->name);
        return {};
    }
    switch (row->type) {
        case FactType::flag:
            if (!value.is_boolean()) return Error{Code::invalid, key + ": neither true nor false"};
            state(row->name, value.get<bool>());
            return {};
        case FactType::number: {
            HEFT_TRY(const double number, amount(key, value));
            state(row->name, number);
            return {};
        }
        case FactType::text:
            if (value.is_structured()) return Error{Code::invalid, key + ": not a text"};
            state(row->name, value.is_string() ? value.get<std::string>() : value.dump());
            return {};
        case FactType::region: {
            HEFT_TRY(std::string places, place(key, value));
            state(row->name, std::move(places));
            return {};
        }
        case FactType::months: return take_months(row->name, value);
    }
    return {};
}

Status Use::take_months(const std::string& name, const Json& value) {
    if (!value.is_object())
        return Error{Code::invalid, name + ": months and numbers, such as {2024-06: 1000000}"};
    for (const auto& [month, number] : value.items()) {
        if (number.is_null()) {
            unknown_.insert(name);
            continue;
        }
        const std::string fact = fmt::format("{}.{}", name, month);
        HEFT_TRY(const double users, amount(fact, number));
        if (month == "now")
            suggest("mau_now", users);
        else if (is_month(month))
            state(fact, users);
        else
            return Error{Code::invalid,
                         fmt::format("{}: \"{}\" is not a month like 2024-06", name, month)};
    }
    return {};
}

const Fact* Use::find(std::string_view name) const {
    const auto found = facts_.find(name);
    return found == facts_.end() ? nullptr : &found->second;
}

bool Use::is_stated(std::string_view name) const {
    if (unknown_.contains(name)) return true;
    const auto at_least = facts_.lower_bound(name);
    if (at_least == facts_.end()) return false;
    const std::string_view key = at_least->first;
    return key == name || (key.starts_with(name) && key[name.size()] == '.');
}

bool Use::is_true(std::string_view name) const {
    const Fact* fact = find(name);
    const bool* flag = fact == nullptr ? nullptr : std::get_if<bool>(fact);
    return flag != nullptr && *flag;
}

std::string Use::text(std::string_view name) const {
    const Fact* fact = find(name);
    const auto* text = fact == nullptr ? nullptr : std::get_if<std::string>(fact);
    return text == nullptr ? std::string() : *text;
}

}  // namespace heft::govern
