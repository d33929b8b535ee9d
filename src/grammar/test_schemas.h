// Random schemas, for tests alone: every keyword that is supported comes up, nested to any depth
// asked for. What may not be combined is not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/rng.h"

namespace heft::grammar::testing {

using Json = nlohmann::ordered_json;

class RandomSchemas {
  public:
    explicit RandomSchemas(std::uint64_t seed) : rng_(seed) {}

    Json next() {
        Json root = schema(3);
        root["$defs"] = {
            {"node",
             {{"type", "object"},
              {"properties",
               {{"v", {{"type", "integer"}, {"minimum", -9}, {"maximum", 99}}},
                {"next", {{"anyOf", {{{"$ref", "#/$defs/node"}}, {{"type", "null"}}}}}}}},
              {"required", {"v", "next"}},
              {"additionalProperties", false}}}};
        if (root.size() == 1) root["type"] = "object";
        return root;
    }

    int below(int n) { return static_cast<int>(rng_.next() % static_cast<std::uint64_t>(n)); }

  private:
    bool coin() { return below(2) == 0; }

    Json schema(int depth) {
        const int kind = below(depth > 0 ? 13 : 8);
        switch (kind) {
            case 0: return string();
            case 1: return pattern();
            case 2: return {{"type", "string"}, {"format", format()}};
            case 3: return integer();
            case 4: return number();
            case 5: return coin() ? Json{{"type", "boolean"}} : Json{{"type", "null"}};
            case 6:
                return {{"enum", {"a", "b\"c\n", 1, -2.5, nullptr, true, Json::array({1, "é"})}}};
            case 7: return {{"const", coin() ? Json("日本") : Json{{"k", 1}}}};
            case 8:
            case 9: return object(depth);
            case 10: return array(depth);
            case 11: return combined(depth);
            default: return {{"$ref", "#/$defs/node"}};
        }
    }

    Json string() {
        Json out = {{"type", "string"}};
        if (coin()) out["minLength"] = below(4);
        if (coin()) out["maxLength"] = 4 + below(60);
        return out;
    }

    Json pattern() {
        static const std::vector<std::string> patterns = {
            "^[a-z]{2,5}$",     "^\\d{3}-\\d{4}$",   "ab+c",      "^(?:foo|bar)*$",
            "^[^\"\\\\]{1,6}$", "^\\w+@\\w+\\.com$", "[äöü]|\\s", "^.{3}$"};
        Json out = {{"type", "string"}};
        out["pattern"] =
            patterns[static_cast<std::size_t>(below(static_cast<int>(patterns.size())))];
        return out;
    }

    std::string format() {
        static const std::vector<std::string> formats = {
            "date-time", "date",     "time", "duration", "uuid",
            "email",     "hostname", "ipv4", "ipv6",     "uri"};
        return formats[static_cast<std::size_t>(below(static_cast<int>(formats.size())))];
    }

    Json integer() {
        Json out = {{"type", "integer"}};
        const int low = below(2000) - 1000;
        if (coin()) out[coin() ? "minimum" : "exclusiveMinimum"] = low;
        if (coin()) out[coin() ? "maximum" : "exclusiveMaximum"] = low + 2 + below(1500);
        if (out.size() == 3 && coin()) {
            out["multipleOf"] = 1 + below(3);
            out["maximum"] = low + 10;
            out.erase("exclusiveMaximum");
        }
        return out;
    }

    Json number() {
        Json out = {{"type", "number"}};
        const double low = (below(20000) - 10000) / (coin() ? 100.0 : 1.0);
        if (coin()) out[coin() ? "minimum" : "exclusiveMinimum"] = low;
        if (coin()) out[coin() ? "maximum" : "exclusiveMaximum"] = low + 0.125 + below(1000) / 7.0;
        return out;
    }

    Json object(int depth) {
        static const std::vector<std::string> names = {"id",   "name", "na", "a/b",
                                                       "ключ", "x\"y", ""};
        Json out = {{"type", "object"}};
        Json properties = Json::object();
        Json required = Json::array();
        for (const std::string& name : names) {
            if (below(3) == 0) continue;
            properties[name] = schema(depth - 1);
            if (coin()) required.push_back(name);
        }
        if (!properties.empty()) out["properties"] = properties;
        if (!required.empty()) out["required"] = required;
        const int further = below(4);
        if (further == 0) out["additionalProperties"] = false;
        if (further == 1) out["additionalProperties"] = true;
        if (further == 2) out["additionalProperties"] = schema(0);
        return out;
    }

    Json array(int depth) {
        Json out = {{"type", "array"}};
        if (below(4) == 0) {
            out["items"] = {{"enum", {"r", "g", "b"}}};
            out["uniqueItems"] = true;
            return out;
        }
        if (below(4) == 0) {
            out["prefixItems"] = {schema(depth - 1), schema(0)};
            out["items"] = coin() ? Json(false) : schema(0);
            out["minItems"] = 2;  // ajv's strict mode wants it
            return out;
        }
        if (below(4) != 0) out["items"] = schema(depth - 1);
        const int least = below(3);
        if (coin()) out["minItems"] = least;
        if (coin()) out["maxItems"] = least + below(6);
        return out;
    }

    Json combined(int depth) {
        switch (below(4)) {
            case 0: return {{"anyOf", {schema(depth - 1), schema(depth - 1)}}};
            case 1:
                return {{"oneOf",
                         {{{"type", "object"},
                           {"properties", {{"t", {{"const", "x"}}}, {"v", schema(0)}}},
                           {"required", Json::array({"t"})}},
                          {{"type", "object"},
                           {"properties", {{"t", {{"const", "y"}}}}},
                           {"required", Json::array({"t"})}},
                          {{"type", "integer"}}}}};
            case 2:
                return {{"allOf",
                         {{{"type", "object"},
                           {"properties", {{"a", {{"type", "integer"}}}}},
                           {"required", Json::array({"a"})}},
                          {{"properties", {{"a", {{"minimum", 3}}}, {"b", schema(0)}}}}}}};
            default:
                return {{"type", {"string", "null", "integer"}}, {"maxLength", 5}, {"minimum", 0}};
        }
    }

    Rng rng_;
};

}  // namespace heft::grammar::testing
