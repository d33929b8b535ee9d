#include "serve/api/body.h"

#include "base/json.h"
#include "text/utf8.h"

namespace heft::serve {

namespace {

Json tree_of(JsonElement element);

Json array_of(JsonArray array) {
    Json out = Json::array();
    for (const JsonElement each : array) out.push_back(tree_of(each));
    return out;
}

// Appends without looking for a member of the same name, which would take quadratic time.
Json object_of(JsonObject object) {
    Json out = Json::object();
    auto& members = out.get_ref<Json::object_t&>();
    for (const auto field : object)
        members.emplace_back(std::string(field.key), tree_of(field.value));
    return out;
}

// The depth is the parser's: 64 at most.
Json tree_of(JsonElement element) {
    using simdjson::dom::element_type;
    switch (element.type()) {
        case element_type::ARRAY: return array_of(element.get_array().value_unsafe());
        case element_type::OBJECT: return object_of(element.get_object().value_unsafe());
        case element_type::INT64: return element.get_int64().value_unsafe();
        case element_type::UINT64: return element.get_uint64().value_unsafe();
        case element_type::DOUBLE: return element.get_double().value_unsafe();
        case element_type::STRING: return std::string(element.get_string().value_unsafe());
        case element_type::BOOL: return element.get_bool().value_unsafe();
        case element_type::NULL_VALUE: return {};
    }
    return {};
}

}  // namespace

Result<Json> body_json(std::string_view body) {
    if (body.empty()) return Error{Code::invalid, "the body is empty; it has to be JSON"};
    if (!text::is_utf8(body)) return Error{Code::invalid, "the body is not valid UTF-8"};
    const auto parsed = JsonDoc::parse(body);
    if (!parsed) return Error{Code::invalid, "the body is " + parsed.error().what};
    return tree_of(parsed->root());
}

}  // namespace heft::serve
