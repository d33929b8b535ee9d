#include "govern/tree_of.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace heft::govern {

namespace {

using Json = nlohmann::ordered_json;

// Keys of a document that simdjson has read may repeat; the first one is the one that is found.
Json object_of(JsonObject fields) {
    Json object = Json::object();
    auto& members = static_cast<Json::object_t::Container&>(object.get_ref<Json::object_t&>());
    members.reserve(fields.size());
    for (const auto field : fields)
        members.emplace_back(std::string(field.key), tree_of(field.value));
    return object;
}

Json array_of(JsonArray items) {
    Json array = Json::array();
    auto& list = array.get_ref<Json::array_t&>();
    list.reserve(items.size());
    for (const JsonElement item : items) list.push_back(tree_of(item));
    return array;
}

}  // namespace

Json tree_of(JsonElement element) {
    switch (element.type()) {
        case simdjson::dom::element_type::OBJECT:
            return object_of(element.get_object().value_unsafe());
        case simdjson::dom::element_type::ARRAY:
            return array_of(element.get_array().value_unsafe());
        case simdjson::dom::element_type::STRING:
            return std::string(element.get_string().value_unsafe());
        case simdjson::dom::element_type::INT64: return element.get_int64().value_unsafe();
        case simdjson::dom::element_type::UINT64: return element.get_uint64().value_unsafe();
        case simdjson::dom::element_type::DOUBLE: return element.get_double().value_unsafe();
        case simdjson::dom::element_type::BOOL: return element.get_bool().value_unsafe();
        case simdjson::dom::element_type::NULL_VALUE: return {};
    }
    return {};
}

}  // namespace heft::govern
