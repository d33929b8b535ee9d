#include "serve/api/parameters.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "serve/api/body.h"
#include "text/utf8.h"

namespace heft::serve {

namespace {

constexpr std::size_t kShownBytes = 60;

JsonType type_of(const Json& value) {
    switch (value.type()) {
        case Json::value_t::boolean: return JsonType::boolean;
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned: return JsonType::integer;
        case Json::value_t::number_float: return JsonType::number;
        case Json::value_t::string: return JsonType::string;
        case Json::value_t::array: return JsonType::array;
        case Json::value_t::object: return JsonType::object;
        case Json::value_t::null:
        case Json::value_t::binary:
        case Json::value_t::discarded: break;
    }
    return JsonType::any;
}

bool has(JsonType set, JsonType one) {
    return (static_cast<int>(set) & static_cast<int>(one)) != 0;
}

// Some clients write whole numbers as 10.0; a number beyond 63 bits is none of ours.
bool fits(const Json& value, JsonType wanted) {
    const JsonType type = type_of(value);
    if (type == JsonType::any) return false;
    if (type == JsonType::integer && has(wanted, JsonType::number)) return true;
    if (type == JsonType::number && has(wanted, JsonType::integer)
        && !has(wanted, JsonType::number)) {
        const double number = value.get<double>();
        return std::nearbyint(number) == number && std::abs(number) < 1e15;
    }
    if (value.is_number_unsigned() && value.get<std::uint64_t>() >> 63U != 0) return false;
    return has(wanted, type);
}

std::string shown(std::string_view name) {
    return text::to_valid_utf8(name.substr(0, kShownBytes));
}

std::optional<Failure> check_value(const Json& value, const Parameter& row,
                                   const std::string& name) {
    if (!fits(value, row.type))
        return invalid(name, fmt::format("{} has to be {}, and is not", name, type_names(row.type)),
                       "invalid_type");
    if (!value.is_number()) return {};
    const auto number = value.get<double>();
    if (number >= row.low && number <= row.high) return {};
    if (row.high >= 1e300)
        return invalid(name,
                       fmt::format("{} is {}; it has to be at least {}", name, number, row.low),
                       "invalid_value");
    return invalid(
        name, fmt::format("{} is {}; it has to be from {} to {}", name, number, row.low, row.high),
        "invalid_value");
}

std::optional<Failure> take_row(const Json& value, const Parameter& row, Draft& draft,
                                const std::string& name) {
    if (auto failure = check_value(value, row, name)) return failure;
    switch (row.use) {
        case Use::honoured: break;
        case Use::accepted: return {};
        case Use::degraded: draft.degrade(fmt::format("{}: {}", name, row.what)); return {};
        case Use::refused:
            return invalid(name, fmt::format("{}: {}", name, row.what), "unsupported_parameter");
    }
    // A take may rely on the type that its row names.
    if (row.type == JsonType::integer && value.is_number_float())
        return row.take(Json(static_cast<std::int64_t>(value.get<double>())), draft);
    auto failure = row.take(value, draft);
    if (failure && failure->param.empty()) failure->param = name;
    return failure;
}

}  // namespace

void Draft::degrade(std::string entry) {
    constexpr std::size_t kMost = 32;  // a body may have any number of unknown names
    auto& all = request.degraded;
    if (all.size() == kMost) all.emplace_back("and more of the kind");
    if (all.size() > kMost) return;
    if (std::find(all.begin(), all.end(), entry) == all.end()) all.push_back(std::move(entry));
}

std::string type_names(JsonType type) {
    constexpr std::pair<JsonType, std::string_view> kNames[] = {
        {JsonType::boolean, "a boolean"}, {JsonType::integer, "an integer"},
        {JsonType::number, "a number"},   {JsonType::string, "a string"},
        {JsonType::array, "an array"},    {JsonType::object, "an object"},
    };
    if (type == JsonType::any) return "any value";
    std::string names;
    for (const auto& [bit, name] : kNames)
        if (has(type, bit)) names += (names.empty() ? "" : " or ") + std::string(name);
    return names;
}

std::optional<Failure> read_object(const Json& object, Parameters parameters, Unknown unknown,
                                   Draft& draft, std::string_view prefix) {
    for (const auto& [key, value] : object.items()) {
        const std::string& name = key;
        const auto row = std::find_if(parameters.begin(), parameters.end(),
                                      [&name](const Parameter& p) { return p.name == name; });
        if (row != parameters.end()) {
            if (value.is_null()) continue;
            if (auto failure = take_row(value, *row, draft, std::string(prefix) + name))
                return failure;
            continue;
        }
        const std::string full = std::string(prefix) + shown(name);
        if (unknown == Unknown::refused)
            return invalid(full,
                           fmt::format("there is no parameter \"{}\" here; docs/api.md lists "
                                       "those there are",
                                       full),
                           "unknown_parameter");
        draft.degrade(fmt::format("{}: unknown, and not used", full));
    }
    return {};
}

std::optional<Failure> read_body(const HttpRequest& http, Parameters parameters, Unknown unknown,
                                 Draft& draft) {
    const auto tree = body_json(http.body);
    if (!tree) return invalid("", tree.error().what, "invalid_json");
    if (!tree->is_object())
        return invalid("", "the body is JSON, but not an object", "invalid_json");
    draft.request.endpoint = draft.embedding.endpoint = http.path;
    draft.request.id = draft.embedding.id = http.id;
    draft.request.caller = draft.embedding.caller = http.caller;
    draft.request.deadline = draft.embedding.deadline = http.deadline;
    auto failure = read_object(*tree, parameters, unknown, draft);
    draft.embedding.degraded = draft.request.degraded;
    return failure;
}

const Json* member(const Json& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string string_member(const Json& object, const char* name) {
    const Json* found = member(object, name);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace heft::serve
