#include <algorithm>

#include "grammar/schema_writer.h"

namespace heft::grammar {

namespace {

// Names that others must differ from are gone through character by character, in depth.
constexpr std::size_t kMaxNameBytes = 200;

bool holds(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<ExprId> SchemaWriter::object(const Json& schema, const std::string& at) {
    Shape shape;
    HEFT_OK(named_properties(schema, at, shape));
    HEFT_OK(further_properties(schema, at, shape));
    HEFT_OK(check_names(schema, at, shape));
    return counted(schema, at, shape);
}

// In the schema's order; required ones that it does not describe come last.
Status SchemaWriter::named_properties(const Json& schema, const std::string& at, Shape& shape) {
    std::vector<std::string> required;
    if (schema.contains("required")) {
        const Json& list = schema["required"];
        for (const Json& name : list) {
            if (!list.is_array() || !name.is_string())
                return schema_error(below(at, "required"), "this is a list of names");
            if (!holds(required, name.get_ref<const std::string&>()))
                required.push_back(name.get<std::string>());
        }
    }
    const Json none = Json::object();
    const Json& properties = schema.contains("properties") ? schema["properties"] : none;
    const std::string place = below(at, "properties");
    if (!properties.is_object()) return schema_error(place, "this is an object of schemas");
    std::vector<std::string> missing = required;
    for (const auto& item : properties.items()) {
        HEFT_TRY(const ExprId written, value(item.value(), below(place, item.key())));
        shape.names.push_back(item.key());
        shape.values.push_back(written);
        shape.required.push_back(holds(required, item.key()));
        missing.erase(std::remove(missing.begin(), missing.end(), item.key()), missing.end());
    }
    if (missing.empty()) return {};
    if (schema.contains("patternProperties"))
        return refused_keyword(at, "required",
                               "'" + missing[0] + "' is not among properties, and "
                               "patternProperties may apply to it");
    ExprId further = json_.any_value();
    if (schema.contains("additionalProperties")) {
        HEFT_TRY(further, value(schema["additionalProperties"], below(at, "additionalProperties")));
    }
    for (const std::string& name : missing) {
        shape.names.push_back(name);
        shape.values.push_back(further);
        shape.required.push_back(true);
    }
    return {};
}

Status SchemaWriter::further_properties(const Json& schema, const std::string& at, Shape& shape) {
    const bool is_open =
        schema.contains("additionalProperties") && schema["additionalProperties"] != false;
    if (schema.contains("patternProperties") && !schema["patternProperties"].empty()) {
        if (is_open)
            return refused_keyword(at, "patternProperties",
                                   "it stands beside additionalProperties other than false");
        return pattern_properties(schema, at, shape);
    }
    // A schema that names no properties at all is about any.
    const bool unsaid = !schema.contains("additionalProperties") && !schema.contains("properties")
                        && schema.value("unevaluatedProperties", Json(true)) != false;
    if (!is_open && !unsaid) return {};
    ExprId further = json_.any_value();
    if (is_open) {
        HEFT_TRY(further, value(schema["additionalProperties"], below(at, "additionalProperties")));
    }
    ExprId name = json_.any_string();
    if (schema.contains("propertyNames")) {
        Json names = schema["propertyNames"];
        const std::string place = below(at, "propertyNames");
        if (names.is_object() && !names.contains("type")) names["type"] = "string";
        HEFT_TRY(const std::vector<bool> fits, fitting(shape.names, names, place));
        if (std::find(fits.begin(), fits.end(), true) != fits.end())
            return refused_keyword(at, "propertyNames",
                                   "it allows a name of properties to come again among "
                                   "additionalProperties; set those to false");
        HEFT_TRY(name, value(names, place));
    } else if (!shape.names.empty()) {
        for (const std::string& one : shape.names)
            if (one.size() > kMaxNameBytes)
                return schema_error(below(at, "properties"),
                                    "a name beside additionalProperties is longer than "
                                        + std::to_string(kMaxNameBytes) + " bytes");
        name = json_.quoted(json_.content_except(shape.names));
    }
    shape.further = {json_.member(name, further)};
    return {};
}

Status SchemaWriter::pattern_properties(const Json& schema, const std::string& at, Shape& shape) {
    const Json& patterns = schema["patternProperties"];
    const std::string place = below(at, "patternProperties");
    if (!patterns.is_object() || patterns.size() != 1)
        return refused_keyword(at, "patternProperties",
                               "of several patterns, a name may match more than one");
    const auto first = patterns.begin();
    const Json name = {{"type", "string"}, {"pattern", first.key()}};
    HEFT_TRY(const std::vector<bool> fits, fitting(shape.names, name, place));
    if (std::find(fits.begin(), fits.end(), true) != fits.end())
        return refused_keyword(at, "patternProperties", "its pattern matches a name of properties");
    if (schema.contains("propertyNames"))
        return refused_keyword(at, "propertyNames", "it stands beside patternProperties");
    HEFT_TRY(const ExprId written, value(name, place));
    HEFT_TRY(const ExprId inside, value(first.value(), below(place, first.key())));
    shape.further = {json_.member(written, inside)};
    return {};
}

// Properties whose names propertyNames does not allow cannot be there.
Status SchemaWriter::check_names(const Json& schema, const std::string& at, Shape& shape) {
    if (!schema.contains("propertyNames") || shape.names.empty()) return {};
    Json names = schema["propertyNames"];
    if (names.is_object() && !names.contains("type")) names["type"] = "string";
    HEFT_TRY(const std::vector<bool> fits, fitting(shape.names, names, below(at, "propertyNames")));
    for (std::size_t i = 0; i < fits.size(); ++i)
        if (!fits[i]) shape.values[i] = draft_.never();
    return {};
}

Result<std::vector<bool>> SchemaWriter::fitting(const std::vector<std::string>& names,
                                                const Json& schema, const std::string& at) const {
    std::vector<bool> out(names.size(), false);
    if (names.empty() || schema == false) return out;
    Draft draft;
    SchemaWriter inner(document_.root(), options_, draft);
    const RuleId rule = draft.declare("name");
    auto written = inner.value(schema, at);
    if (!written) return written.error();
    draft.define(rule, *written);
    const auto grammar = finish(draft, rule);
    if (!grammar) return out;  // no name at all
    for (std::size_t i = 0; i < names.size(); ++i) out[i] = grammar->matches(quoted_text(names[i]));
    return out;
}

Result<ExprId> SchemaWriter::counted(const Json& schema, const std::string& at,
                                     const Shape& shape) {
    HEFT_TRY(const std::optional<int> min, count_of(schema, "minProperties", at));
    HEFT_TRY(const std::optional<int> max, count_of(schema, "maxProperties", at));
    const int n_required =
        static_cast<int>(std::count(shape.required.begin(), shape.required.end(), true));
    const int n_named = static_cast<int>(shape.names.size());
    const bool enough = min.value_or(0) <= n_required;
    const bool few = !max || (shape.further.empty() && *max >= n_named);
    if (!enough || !few) {
        // Names may come twice, so that a count of members is the most that there are.
        const bool countable = n_named == 0 && !shape.further.empty() && min.value_or(0) <= 1;
        if (!countable)
            return refused_keyword(at, enough ? "maxProperties" : "minProperties",
                                   "optional properties would have to be counted");
        if (max && *max < min.value_or(0)) return draft_.never();
        if (max && *max == 0) return json_.object({});
        const ExprId more = draft_.repeat(draft_.sequence({json_.comma(), shape.further[0]}), 0,
                                          max ? *max - 1 : kUnbounded);
        const ExprId some = draft_.sequence({shape.further[0], more});
        const Draft::Members all{{some}, {min.value_or(0) == 1}, {}};
        return json_.object(all);
    }
    const bool any = n_named == 0 && !schema.contains("additionalProperties")
                     && !schema.contains("propertyNames") && !shape.further.empty()
                     && !schema.contains("patternProperties");
    if (any) return json_.any_object();
    Draft::Members members;
    for (std::size_t i = 0; i < shape.names.size(); ++i) {
        const ExprId name = draft_.bytes(quoted_text(shape.names[i]));
        // A property that cannot have a value cannot be there.
        const bool possible = draft_.at(shape.values[i]).op != Op::never;
        members.parts.push_back(possible ? json_.member(name, shape.values[i]) : draft_.never());
    }
    members.required = shape.required;
    members.further = shape.further;
    return json_.object(members);
}

}  // namespace heft::grammar
