// A tree of JSON as text. Bytes of strings that are no UTF-8 become U+FFFD: what came from outside
// must not stop a file from being written.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace heft {

// On one line, or with each level indented by so many spaces.
inline std::string json_text(const nlohmann::ordered_json& tree, int indent = -1) {
    return tree.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// A file of it: indented, and with an end of line.
inline std::string json_file(const nlohmann::ordered_json& tree) {
    return json_text(tree, 2) + "\n";
}

}  // namespace heft
