// What the sections of tokenizer.json share.
#include "text/tokenizer_json.h"

namespace heft::text {

std::string_view type_of(JsonElement component) {
    return json_string(component, "type").value_or("(none)");
}

bool lists(std::string_view names, std::string_view name) {
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(' '), names.size());
        if (names.substr(0, end) == name) return true;
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return false;
}

Status check_options(std::string_view section, JsonElement component, std::string_view known) {
    JsonObject fields;
    if (component.get_object().get(fields) != simdjson::SUCCESS)
        return Error{Code::corrupt, "the " + std::string(section) + " is not an object"};
    for (const auto& field : fields) {
        if (field.key == "type" || field.value.is_null() || lists(known, field.key)) continue;
        return Error{Code::unsupported, "the " + std::string(section) + " "
                                            + shown(type_of(component)) + " has the option "
                                            + shown(field.key) + ", which heft does not know"};
    }
    return {};
}

Status check_steps(std::size_t steps, std::string_view section) {
    if (steps <= kMostSteps) return {};
    return Error{Code::unsupported, "the " + std::string(section) + " has more than "
                                        + std::to_string(kMostSteps) + " steps"};
}

Result<JsonPattern> read_pattern(JsonElement owner) {
    const auto pattern = json_find(owner, "pattern");
    if (pattern) {
        std::string_view text;
        if (pattern->get_string().get(text) == simdjson::SUCCESS && !text.empty())
            return JsonPattern{std::string(text), true};
        if (const auto literal = json_string(*pattern, "String"); literal && !literal->empty())
            return JsonPattern{std::string(*literal), true};
        if (const auto regex = json_string(*pattern, "Regex"))
            return JsonPattern{std::string(*regex), false};
    }
    return Error{Code::corrupt, "a pattern is neither a String nor a Regex"};
}

Result<Regex> compile(const JsonPattern& pattern) {
    return pattern.literal ? Regex::literal(pattern.text) : Regex::compile(pattern.text);
}

}  // namespace heft::text
