// Reading of what the catalogue's files hold, once they are a JSON tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace heft::govern {

using Json = nlohmann::ordered_json;

// nullptr when absent, null, or `tree` is no object.
inline const Json* member(const Json& tree, std::string_view key) {
    if (!tree.is_object()) return nullptr;
    const auto found = tree.find(key);
    return found == tree.end() || found->is_null() ? nullptr : &*found;
}

// Empty when absent or of another type.
inline std::string text_of(const Json& tree, std::string_view key) {
    const Json* value = member(tree, key);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

// The texts of a list, or a single text; empty when absent.
inline std::vector<std::string> texts_of(const Json& tree, std::string_view key) {
    std::vector<std::string> texts;
    const Json* value = member(tree, key);
    if (value == nullptr) return texts;
    if (value->is_string()) texts.push_back(value->get<std::string>());
    if (!value->is_array()) return texts;
    for (const Json& item : *value)
        if (item.is_string()) texts.push_back(item.get<std::string>());
    return texts;
}

}  // namespace heft::govern
