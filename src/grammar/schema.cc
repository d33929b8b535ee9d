#include "grammar/schema.h"

#include <algorithm>

#include "grammar/schema_keywords.h"
#include "grammar/schema_writer.h"

namespace heft::grammar {

namespace {

constexpr int kMaxDepth = 64;        // of schemas within schemas
constexpr int kMaxSchemas = 50'000;  // looked at

bool is_type_of(std::string_view type, const Json& value) {
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_boolean();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "number") return value.is_number();
    return value.is_number_integer();
}

// Whether it has a keyword, other than those named, that constrains.
bool constrains(const Json& schema, std::initializer_list<std::string_view> but) {
    for (const auto& item : schema.items()) {
        const Keyword* keyword = find_keyword(item.key());
        const bool is_named = std::find(but.begin(), but.end(), item.key()) != but.end();
        if (!is_named && keyword != nullptr && keyword->use != KeywordUse::annotation) return true;
    }
    return false;
}

// A tree deeper than this is not even looked at: everything here goes down it by recursion.
bool is_deeper(const Json& tree, int levels) {
    if (!tree.is_structured()) return false;
    if (levels == 0) return true;
    return std::any_of(tree.begin(), tree.end(),
                       [levels](const Json& part) { return is_deeper(part, levels - 1); });
}

}  // namespace

Result<RuleId> write_schema(const Json& schema, JsonOptions options, Draft& draft) {
    constexpr int kMaxLevels = 256;
    if (is_deeper(schema, kMaxLevels))
        return Error{Code::exhausted, "the schema is nested more than " + std::to_string(kMaxLevels)
                                          + " levels deep"};
    return SchemaWriter(schema, options, draft).write();
}

Result<RuleId> SchemaWriter::write() {
    const RuleId root = draft_.declare("root");
    const Json& schema = document_.root();
    if (schema.is_object() && !constrains(schema, {})) {
        HEFT_OK(check_keywords(schema, ""));
        draft_.define(root, json_.any_object());
        return root;
    }
    rules_[""] = root;
    HEFT_TRY(const ExprId body, value(schema, ""));
    draft_.define(root, body);
    return root;
}

Result<ExprId> SchemaWriter::value(const Json& schema, const std::string& at) {
    if (depth_ >= kMaxDepth || ++n_schema_ > kMaxSchemas)
        return Error{Code::exhausted,
                     schema_error(at, "schemas are nested too deeply, or too many").what};
    ++depth_;
    auto out = value_inside(schema, at);
    --depth_;
    return out;
}

Result<ExprId> SchemaWriter::value_inside(const Json& schema, const std::string& at) {
    if (schema.is_boolean()) return schema == true ? json_.any_value() : draft_.never();
    if (!schema.is_object()) return schema_error(at, "a schema is an object, true or false");
    HEFT_OK(check_keywords(schema, at));
    if (schema.contains("$ref") && !constrains(schema, {"$ref"})) return reference(schema, at);
    if (schema.contains("$ref") || schema.contains("allOf")) {
        HEFT_TRY(const Json merged, document_.flat(schema, at));
        return value(merged, at);
    }
    for (const char* key : {"anyOf", "oneOf"})
        if (schema.contains(key)) return branches(schema, key, at);
    if (schema.contains("enum") || schema.contains("const")) return constant(schema, at);
    HEFT_TRY(const std::vector<std::string> types, wanted_types(schema, at));
    if (types.empty()) return json_.any_value();
    std::vector<ExprId> parts;
    for (const std::string& type : types) {
        HEFT_TRY(const ExprId part, of_type(type, schema, at));
        parts.push_back(part);
    }
    return draft_.choice(parts);
}

Status SchemaWriter::check_keywords(const Json& schema, const std::string& at) const {
    for (const auto& item : schema.items()) {
        const std::string& key = item.key();
        const Keyword* keyword = find_keyword(key);
        if (keyword == nullptr) return refused_keyword(at, key, "it is not known");
        if (keyword->use == KeywordUse::refused) return refused_keyword(at, key, keyword->note);
        const bool is_last_word = key == "unevaluatedProperties" || key == "unevaluatedItems";
        if (is_last_word && item.value() != false && item.value() != true)
            return refused_keyword(at, key, "only true and false are");
    }
    return {};
}

Result<ExprId> SchemaWriter::reference(const Json& schema, const std::string& at) {
    HEFT_TRY(const SchemaDocument::Target target, document_.resolve(schema["$ref"], at));
    const auto known = rules_.find(target.at);
    if (known != rules_.end()) return draft_.call(known->second);
    const RuleId rule = draft_.declare(target.at);
    rules_[target.at] = rule;
    HEFT_TRY(const ExprId body, value(*target.schema, target.at));
    draft_.define(rule, body);
    return draft_.call(rule);
}

Result<ExprId> SchemaWriter::branches(const Json& schema, const std::string& key,
                                      const std::string& at) {
    const std::string place = below(at, key);
    const Json& list = schema[key];
    if (!list.is_array() || list.empty())
        return schema_error(place, key + " is a list of at least one schema");
    Json rest = schema;
    rest.erase(key);
    const bool alone = !constrains(rest, {});
    std::vector<ExprId> parts;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string where = below(place, i);
        for (std::size_t j = 0; key == "oneOf" && j < i; ++j)
            if (!document_.are_disjoint(list[i], list[j], where))
                return refused_keyword(at, key, "the branches " + std::to_string(j) + " and "
                                                    + std::to_string(i)
                                                    + " may both hold; use anyOf, or tell them "
                                                      "apart by type or a required constant");
        if (alone) {
            HEFT_TRY(const ExprId part, value(list[i], where));
            parts.push_back(part);
            continue;
        }
        if (list[i].is_object()) HEFT_OK(check_keywords(list[i], where));
        HEFT_TRY(const Json branch, document_.flat(list[i], where));
        HEFT_TRY(const Json merged, document_.merge(rest, branch, where));
        HEFT_TRY(const ExprId part, value(merged, where));
        parts.push_back(part);
    }
    return draft_.choice(parts);
}

Result<ExprId> SchemaWriter::constant(const Json& schema, const std::string& at) {
    if (constrains(schema, {"enum", "const", "type", "nullable"}))
        return refused_keyword(at, schema.contains("enum") ? "enum" : "const",
                               "it stands beside other constraints; list only the values that "
                               "satisfy them");
    Json values = schema.contains("enum") ? schema["enum"] : Json::array({schema["const"]});
    if (!values.is_array()) return schema_error(below(at, "enum"), "enum is a list of values");
    HEFT_TRY(std::vector<std::string> types, types_of(schema, at));
    if (!types.empty() && schema.value("nullable", Json(false)) == true) types.push_back("null");
    std::vector<ExprId> parts;
    for (const Json& one : values) {
        const bool fits = types.empty()
                          || std::any_of(types.begin(), types.end(),
                                         [&one](const auto& t) { return is_type_of(t, one); });
        const bool is_const = !schema.contains("const") || schema["const"] == one;
        if (fits && is_const) parts.push_back(json_.literal(one));
    }
    return draft_.choice(parts);
}

// Those that are named; else those that the keywords speak of; empty for any value at all.
Result<std::vector<std::string>> SchemaWriter::wanted_types(const Json& schema,
                                                            const std::string& at) const {
    HEFT_TRY(std::vector<std::string> types, types_of(schema, at));
    if (!types.empty()) {
        if (schema.value("nullable", Json(false)) == true) types.push_back("null");
        return types;
    }
    const auto add = [&types](const std::string& type) {
        if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
    };
    for (const auto& item : schema.items()) {
        const Keyword* keyword = find_keyword(item.key());
        switch (keyword == nullptr ? KeywordUse::annotation : keyword->use) {
            case KeywordUse::of_object: add("object"); break;
            case KeywordUse::of_array: add("array"); break;
            case KeywordUse::of_string: add("string"); break;
            case KeywordUse::of_number: add("number"); break;
            case KeywordUse::general:
                if (item.key() == "format") add("string");
                break;
            case KeywordUse::annotation:
            case KeywordUse::refused: break;
        }
    }
    return types;
}

Result<ExprId> SchemaWriter::of_type(const std::string& type, const Json& schema,
                                     const std::string& at) {
    if (type == "object") return object(schema, at);
    if (type == "array") return array(schema, at);
    if (type == "string") return string(schema, at);
    if (type == "number") return number(schema, at);
    if (type == "integer") return integer(schema, at);
    if (type == "null") return draft_.bytes("null");
    return draft_.choice({draft_.bytes("true"), draft_.bytes("false")});
}

}  // namespace heft::grammar
