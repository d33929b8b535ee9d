#include "grammar/schema_document.h"

#include <algorithm>
#include <optional>

#include "grammar/schema_keywords.h"
#include "text/utf8.h"

namespace heft::grammar {

namespace {

constexpr int kMaxDepth = 64;
constexpr int kMaxWork = 20'000;

constexpr std::string_view kTypes[] = {"null",   "boolean", "object", "array",
                                       "number", "integer", "string"};

// A part of a reference, spelled plainly.
std::optional<std::string> plain_part(std::string_view part) {
    std::string out;
    for (std::size_t i = 0; i < part.size(); ++i) {
        const std::string_view rest = part.substr(i);
        if (rest.substr(0, 2) == "~0") {
            out += '~', ++i;
        } else if (rest.substr(0, 2) == "~1") {
            out += '/', ++i;
        } else if (rest[0] == '%') {
            const auto is_hex = [](char c) {
                return std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos;
            };
            if (rest.size() < 3 || !is_hex(rest[1]) || !is_hex(rest[2])) return std::nullopt;
            out += static_cast<char>(std::stoi(std::string(rest.substr(1, 2)), nullptr, 16));
            i += 2;
        } else {
            out += rest[0];
        }
    }
    return out;
}

const Json* child(const Json& parent, const std::string& part) {
    if (parent.is_object()) {
        const auto found = parent.find(part);
        return found == parent.end() ? nullptr : &*found;
    }
    const bool is_index = parent.is_array() && !part.empty() && part.size() < 7
                          && part.find_first_not_of("0123456789") == std::string::npos;
    if (!is_index) return nullptr;
    const auto index = static_cast<std::size_t>(std::stoi(part));
    return index < parent.size() ? &parent[index] : nullptr;
}

bool has(const Json& list, const Json& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

Json both(const Json& a, const Json& b) {
    if (a == b || b == true) return a;
    if (a == true) return b;
    if (a == false || b == false) return false;
    return Json{{"allOf", Json::array({a, b})}};
}

bool is_type_of(std::string_view type, const Json& value) {
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_boolean();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    return value.is_number();
}

bool overlap(std::string_view a, std::string_view b) {
    return a == b || (a == "number" && b == "integer") || (a == "integer" && b == "number");
}

// The values of enum or const; none if there is neither.
std::optional<Json> constants(const Json& schema) {
    if (schema.contains("const")) return Json::array({schema["const"]});
    if (schema.contains("enum") && schema["enum"].is_array()) return schema["enum"];
    return std::nullopt;
}

}  // namespace

std::string below(const std::string& at, std::string_view part) {
    std::string out = at + "/";
    for (const char c : part) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

std::string below(const std::string& at, std::size_t index) {
    return at + "/" + std::to_string(index);
}

Error schema_error(const std::string& at, const std::string& what) {
    const std::string place = at.empty() ? "the schema" : "the schema at '" + at + "'";
    return Error{Code::invalid, text::to_valid_utf8(place + ": " + what)};
}

Error refused_keyword(const std::string& at, std::string_view keyword, std::string_view why) {
    return schema_error(
        at, "the keyword '" + std::string(keyword) + "' cannot be honoured: " + std::string(why));
}

Result<std::vector<std::string>> types_of(const Json& schema, const std::string& at) {
    std::vector<std::string> out;
    if (!schema.contains("type")) return out;
    const Json& type = schema["type"];
    const Json list = type.is_array() ? type : Json::array({type});
    for (const Json& one : list) {
        const std::string name = one.is_string() ? one.get<std::string>() : "";
        if (std::find(std::begin(kTypes), std::end(kTypes), name) == std::end(kTypes))
            return schema_error(below(at, "type"), "there is no type '" + name + "'");
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
    if (out.empty()) return schema_error(below(at, "type"), "the list of types is empty");
    return out;
}

Result<SchemaDocument::Target> SchemaDocument::resolve(const Json& reference,
                                                       const std::string& at) const {
    const std::string where = below(at, "$ref");
    if (!reference.is_string()) return schema_error(where, "a reference is a string");
    const auto& text = reference.get_ref<const std::string&>();
    const bool is_pointer = text == "#" || text.substr(0, 2) == "#/";
    if (!is_pointer)
        return schema_error(where, "'" + text + "' is no pointer into this schema, such as "
                                                "'#/$defs/name'; other references cannot be "
                                                "followed");
    Target target{&root_, ""};
    for (std::size_t from = 2; from <= text.size() && text.size() > 1;) {
        const std::size_t to = std::min(text.find('/', from), text.size());
        const auto part = plain_part(std::string_view(text).substr(from, to - from));
        target.schema = part ? child(*target.schema, *part) : nullptr;
        if (target.schema == nullptr)
            return schema_error(where, "'" + text + "' refers to nothing");
        target.at = below(target.at, *part);
        from = to + 1;
    }
    return target;
}

Result<Json> SchemaDocument::flat(const Json& schema, const std::string& at) {
    if (++n_work_ > kMaxWork)
        return Error{Code::exhausted, schema_error(at, "allOf and $ref make it too large").what};
    if (depth_ >= kMaxDepth)
        return schema_error(at, "allOf and $ref refer to each other without end");
    ++depth_;
    auto out = flat_inside(schema, at);
    --depth_;
    return out;
}

Result<Json> SchemaDocument::flat_inside(const Json& schema, const std::string& at) {
    if (!schema.is_object()) {
        if (!schema.is_boolean()) return schema_error(at, "a schema is an object, true or false");
        return schema;
    }
    if (!schema.contains("allOf") && !schema.contains("$ref")) return schema;
    Json out = schema;
    out.erase("allOf");
    out.erase("$ref");
    if (schema.contains("$ref")) {
        HEFT_TRY(const Target target, resolve(schema["$ref"], at));
        HEFT_TRY(const Json part, flat(*target.schema, target.at));
        HEFT_TRY(out, merge(std::move(out), part, at));
    }
    if (!schema.contains("allOf")) return out;
    const Json& all = schema["allOf"];
    if (!all.is_array()) return schema_error(below(at, "allOf"), "allOf is a list of schemas");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string place = below(below(at, "allOf"), i);
        HEFT_TRY(const Json part, flat(all[i], place));
        HEFT_TRY(out, merge(std::move(out), part, place));
    }
    return out;
}

Result<Json> SchemaDocument::merge(Json a, const Json& b, const std::string& at) {
    if (b == true || a == false) return a;
    if (a == true || b == false) return b;
    const auto is_tuple = [](const Json& schema) {
        return schema.contains("prefixItems")
               || (schema.contains("items") && schema["items"].is_array());
    };
    const auto has_items = [](const Json& schema) {
        return schema.contains("prefixItems") || schema.contains("items");
    };
    if (has_items(a) && has_items(b) && (is_tuple(a) || is_tuple(b)))
        return refused_keyword(at, "prefixItems", "it is one of several parts of allOf");
    const auto allows_null = [](const Json& schema) {
        return !schema.contains("type") || schema.value("nullable", Json(false)) == true;
    };
    const bool nullable = allows_null(a) && allows_null(b);
    HEFT_OK(merge_properties(a, b, at));
    for (const auto& item : b.items()) HEFT_OK(merge_keyword(a, item.key(), item.value(), at));
    if (a.contains("nullable")) a["nullable"] = nullable;
    return a;
}

// What one schema says of further properties holds for those that only the other one names.
Status SchemaDocument::merge_properties(Json& a, const Json& b, const std::string& at) const {
    const auto names = [](const Json& schema) -> Json {
        const bool given = schema.contains("properties") && schema["properties"].is_object();
        return given ? schema["properties"] : Json::object();
    };
    const Json of_a = names(a);
    const Json of_b = names(b);
    Json all = Json::object();
    const auto further = [](const Json& schema) -> Json {
        return schema.contains("additionalProperties") ? schema["additionalProperties"]
                                                       : Json(true);
    };
    for (const Json* schema : {static_cast<const Json*>(&a), &b})
        if (schema->contains("patternProperties"))
            return refused_keyword(at, "patternProperties", "it is one of several parts of allOf");
    for (const auto& item : of_a.items()) {
        const bool shared = of_b.contains(item.key());
        all[item.key()] = both(item.value(), shared ? of_b[item.key()] : further(b));
    }
    for (const auto& item : of_b.items())
        if (!of_a.contains(item.key())) all[item.key()] = both(item.value(), further(a));
    if (!all.empty()) a["properties"] = std::move(all);
    return {};
}

Status SchemaDocument::merge_keyword(Json& a, const std::string& key, const Json& value,
                                     const std::string& at) {
    const Keyword* keyword = find_keyword(key);
    if (key == "properties" || (keyword != nullptr && keyword->use == KeywordUse::annotation))
        return {};
    if (key == "const" || key == "enum") {
        const auto known = constants(a);
        const Json added = key == "const" ? Json::array({value}) : value;
        Json kept = Json::array();
        for (const Json& one : added)
            if (!known || has(*known, one)) kept.push_back(one);
        a.erase("const");
        a["enum"] = std::move(kept);
        return {};
    }
    if (!a.contains(key)) {
        a[key] = value;
        return {};
    }
    Json& mine = a[key];
    if (mine == value) return {};
    const bool numbers = mine.is_number() && value.is_number();
    if (numbers && (key.rfind("min", 0) == 0 || key == "exclusiveMinimum")) {
        if (mine < value) mine = value;
    } else if (numbers && (key.rfind("max", 0) == 0 || key == "exclusiveMaximum")) {
        if (value < mine) mine = value;
    } else if (key == "additionalProperties" || key == "items") {
        mine = both(mine, value);
    } else if (key == "required" && mine.is_array() && value.is_array()) {
        for (const Json& name : value)
            if (!has(mine, name)) mine.push_back(name);
    } else if (key == "uniqueItems") {
        mine = true;
    } else if (key == "nullable") {
        mine = false;
    } else if (key == "type") {
        HEFT_TRY(const std::vector<std::string> ours, types_of(a, at));
        HEFT_TRY(const std::vector<std::string> others, types_of(Json{{"type", value}}, at));
        Json common = Json::array();
        for (const std::string& x : ours)
            for (const std::string& y : others)
                if (overlap(x, y)) common.push_back(x == "integer" ? x : y);
        if (common.empty()) {
            a["enum"] = Json::array();  // no value has both types
            return {};
        }
        mine = std::move(common);
    } else {
        return refused_keyword(at, key, "it stands in several parts of allOf");
    }
    return {};
}

bool SchemaDocument::are_disjoint(const Json& a, const Json& b, const std::string& at, int depth) {
    const auto x = flat(a, at);
    const auto y = flat(b, at);
    if (!x || !y || depth > kMaxDepth) return false;
    if (*x == false || *y == false) return true;
    if (!x->is_object() || !y->is_object()) return false;
    const auto of_x = constants(*x);
    const auto of_y = constants(*y);
    const auto types_x = types_of(*x, at);
    const auto types_y = types_of(*y, at);
    if (!types_x || !types_y) return false;
    if (of_x && of_y)
        return std::none_of(of_x->begin(), of_x->end(),
                            [&of_y](const Json& value) { return has(*of_y, value); });
    const auto none_fits = [](const Json& values, const std::vector<std::string>& types) {
        if (types.empty()) return false;
        for (const Json& value : values)
            for (const std::string& type : types)
                if (is_type_of(type, value)) return false;
        return true;
    };
    if (of_x) return none_fits(*of_x, *types_y);
    if (of_y) return none_fits(*of_y, *types_x);
    if (types_x->empty() || types_y->empty()) return false;
    for (const std::string& type_x : *types_x)
        for (const std::string& type_y : *types_y)
            if (overlap(type_x, type_y) && type_x != "object") return false;
    const bool may_be_objects =
        std::find(types_x->begin(), types_x->end(), "object") != types_x->end()
        && std::find(types_y->begin(), types_y->end(), "object") != types_y->end();
    if (!may_be_objects) return true;
    if (!x->contains("required") || !y->contains("required")) return false;
    for (const Json& name : (*x)["required"]) {
        if (!name.is_string() || !has((*y)["required"], name)) continue;
        const auto& key = name.get_ref<const std::string&>();
        const auto named = [&key](const Json& schema) {
            return schema.contains("properties") && schema["properties"].is_object()
                   && schema["properties"].contains(key);
        };
        if (named(*x) && named(*y)
            && are_disjoint((*x)["properties"][key], (*y)["properties"][key], at, depth + 1))
            return true;
    }
    return false;
}

}  // namespace heft::grammar
