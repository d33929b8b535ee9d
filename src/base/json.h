// JSON. Foreign files are read with simdjson (strict UTF-8, bounded depth, memory in proportion to
// the file); documents that heft writes, and template values, are nlohmann::ordered_json (include
// <nlohmann/json.hpp> where you build one). A JsonDoc owns what its elements point into.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <simdjson.h>

#include "base/result.h"

namespace heft {

using JsonElement = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

class JsonDoc {
  public:
    // Copies the text (simdjson needs padding). Depth is limited to 64.
    static Result<JsonDoc> parse(std::string_view text);

    JsonElement root() const { return root_; }

  private:
    std::unique_ptr<simdjson::dom::parser> parser_;
    JsonElement root_;
};

// Look-ups that answer "absent" for a missing key, for null and for another type.
std::optional<JsonElement> json_find(JsonElement object, std::string_view key);
std::optional<std::string_view> json_string(JsonElement object, std::string_view key);
std::optional<double> json_number(JsonElement object, std::string_view key);
std::optional<std::int64_t> json_int(JsonElement object, std::string_view key);
std::optional<bool> json_bool(JsonElement object, std::string_view key);

// Parses into a tree that can be changed, for requests and template values. Depth at most 64.
Result<nlohmann::ordered_json> parse_json_tree(std::string_view text);

}  // namespace heft
