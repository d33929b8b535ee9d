// A schema's document: where things stand in it, what refers to what, and two schemas made one.
// Private to this module.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace heft::grammar {

using Json = nlohmann::ordered_json;

// The pointer to a part: "/properties" and "a/b" make "/properties/a~1b".
std::string below(const std::string& at, std::string_view part);
std::string below(const std::string& at, std::size_t index);

// "the schema at '/items': …"; Code::invalid.
Error schema_error(const std::string& at, const std::string& what);
// "… the keyword 'not' is not supported: …".
Error refused_keyword(const std::string& at, std::string_view keyword, std::string_view why);

// The types that a schema names, "integer" without "number" included; empty: it names none.
Result<std::vector<std::string>> types_of(const Json& schema, const std::string& at);

class SchemaDocument {
  public:
    explicit SchemaDocument(const Json& root) : root_(root) {}  // outlives the document

    const Json& root() const { return root_; }

    struct Target {
        const Json* schema = nullptr;
        std::string at = {};  // its pointer
    };
    // What "#/$defs/a" refers to. Only this document can be referred to.
    Result<Target> resolve(const Json& reference, const std::string& at) const;

    // The same schema without allOf and $ref at its top.
    Result<Json> flat(const Json& schema, const std::string& at);
    // What satisfies both; both flat. Code::invalid where that cannot be said in one schema.
    Result<Json> merge(Json a, const Json& b, const std::string& at);
    // Whether no value can satisfy both, as far as types, constants and required properties show.
    bool are_disjoint(const Json& a, const Json& b, const std::string& at, int depth = 0);

  private:
    Result<Json> flat_inside(const Json& schema, const std::string& at);
    Status merge_keyword(Json& a, const std::string& key, const Json& value, const std::string& at);
    Status merge_properties(Json& a, const Json& b, const std::string& at) const;

    const Json& root_;
    int depth_ = 0;   // of flat() within itself
    int n_work_ = 0;  // schemas looked at
};

}  // namespace heft::grammar
