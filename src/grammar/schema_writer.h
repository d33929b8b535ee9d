// Writes the rules of a schema. Private to this module.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "grammar/json_text.h"
#include "grammar/pattern.h"
#include "grammar/schema_document.h"

namespace heft::grammar {

// A count such as minItems: from 0 on.
Result<std::optional<int>> count_of(const Json& schema, std::string_view key,
                                    const std::string& at);
// A bound such as minimum.
Result<std::optional<double>> bound_of(const Json& schema, std::string_view key,
                                       const std::string& at);

class SchemaWriter {
  public:
    SchemaWriter(const Json& root, JsonOptions options, Draft& draft)
        : document_(root), options_(options), draft_(draft), json_(draft, options.spacing) {}

    Result<RuleId> write();

  private:
    // A value of this schema, which stands at this pointer.
    Result<ExprId> value(const Json& schema, const std::string& at);
    Result<ExprId> value_inside(const Json& schema, const std::string& at);
    Status check_keywords(const Json& schema, const std::string& at) const;
    Result<ExprId> reference(const Json& schema, const std::string& at);
    Result<ExprId> branches(const Json& schema, const std::string& key, const std::string& at);
    Result<ExprId> constant(const Json& schema, const std::string& at);
    Result<ExprId> of_type(const std::string& type, const Json& schema, const std::string& at);
    Result<std::vector<std::string>> wanted_types(const Json& schema, const std::string& at) const;

    Result<ExprId> string(const Json& schema, const std::string& at);
    Result<ExprId> content(const Json& schema, const std::string& at);  // of a string
    Result<ExprId> shaped(std::string_view pattern, int min, int max, const std::string& at);
    Result<ExprId> number(const Json& schema, const std::string& at);
    Result<ExprId> integer(const Json& schema, const std::string& at);
    Result<ExprId> multiples(std::int64_t step, std::int64_t low, std::int64_t high, bool bounded,
                             const std::string& at);

    Result<ExprId> array(const Json& schema, const std::string& at);
    Result<ExprId> tuple(const Json& prefix, const Json& schema, const std::string& at);
    Result<ExprId> distinct_items(const Json& schema, const std::string& at);

    // Schemas of an object's properties: `named` in order, `further` with what their names are.
    struct Shape {
        std::vector<std::string> names = {};
        std::vector<ExprId> values = {};
        std::vector<bool> required = {};
        std::vector<ExprId> further = {};  // whole members; at most one
    };
    Result<ExprId> object(const Json& schema, const std::string& at);
    Status named_properties(const Json& schema, const std::string& at, Shape& shape);
    Status further_properties(const Json& schema, const std::string& at, Shape& shape);
    Status pattern_properties(const Json& schema, const std::string& at, Shape& shape);
    Status check_names(const Json& schema, const std::string& at, Shape& shape);
    Result<ExprId> counted(const Json& schema, const std::string& at, const Shape& shape);
    // Which of the names the schema of a string allows.
    Result<std::vector<bool>> fitting(const std::vector<std::string>& names, const Json& schema,
                                      const std::string& at) const;

    SchemaDocument document_;
    JsonOptions options_;
    Draft& draft_;  // outlives the writer
    JsonText json_;
    std::map<std::string, RuleId> rules_;  // of what is referred to, by pointer
    int depth_ = 0;
    int n_schema_ = 0;
};

}  // namespace heft::grammar
