#include "grammar/call_grammar.h"

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "grammar/schema.h"

namespace heft::grammar {

namespace {

constexpr int kMaxDepth = 64;  // of shapes within shapes

class ShapeWriter {
  public:
    ShapeWriter(Draft& draft, JsonOptions options) : draft_(draft), options_(options) {}

    Result<ExprId> write(const text::CallShape& shape, int depth = 0) {
        using Kind = text::CallShape::Kind;
        if (depth > kMaxDepth)
            return Error{Code::exhausted, "the shape of a tool call is nested too deeply"};
        switch (shape.kind) {
            case Kind::literal: return draft_.bytes(shape.text);
            case Kind::schema: return schema(shape.text);
            case Kind::text_until: return text_until(shape.text);
            case Kind::sequence:
            case Kind::choice: break;
            case Kind::repeat: return repeat(shape, depth);
        }
        std::vector<ExprId> parts;
        for (const text::CallShape& part : shape.parts) {
            HEFT_TRY(const ExprId written, write(part, depth + 1));
            parts.push_back(written);
        }
        return shape.kind == Kind::choice ? draft_.choice(parts) : draft_.sequence(parts);
    }

  private:
    Result<ExprId> repeat(const text::CallShape& shape, int depth) {
        HEFT_TRY(const ExprId part, write(shape.parts[0], depth + 1));
        if (shape.parts.size() == 1) return draft_.repeat(part, shape.min, shape.max);
        HEFT_TRY(const ExprId between, write(shape.parts[1], depth + 1));
        // What is laid out twice is a rule, so that a thousand tools are so only once.
        const ExprId once = draft_.call(rule("part", part));
        const ExprId more = draft_.sequence({between, once});
        const int least = shape.min > 0 ? shape.min - 1 : 0;
        const int most = shape.max < 0 ? kUnbounded : shape.max - 1;
        const ExprId list = draft_.sequence({once, draft_.repeat(more, least, most)});
        return shape.min == 0 ? draft_.optional(list) : list;
    }

    // Schemas and markers come up again and again: each is written once.
    Result<ExprId> schema(const std::string& source) {
        const auto known = schemas_.find(source);
        if (known != schemas_.end()) return draft_.call(known->second);
        HEFT_TRY(const Json tree, parse_json_tree(source));
        HEFT_TRY(const RuleId written, write_schema(tree, options_, draft_));
        schemas_[source] = written;
        return draft_.call(written);
    }

    Result<ExprId> text_until(const std::string& marker) {
        const auto known = markers_.find(marker);
        if (known != markers_.end()) return draft_.call(known->second);
        const RuleId written = rule("text", draft_.until(marker));
        markers_[marker] = written;
        return draft_.call(written);
    }

    RuleId rule(const char* name, ExprId body) {
        const RuleId made = draft_.declare(name);
        draft_.define(made, body);
        return made;
    }

    using Json = nlohmann::ordered_json;

    Draft& draft_;  // outlives the writer
    JsonOptions options_;
    std::map<std::string, RuleId> schemas_, markers_;
};

}  // namespace

Result<Grammar> from_call_shape(const text::CallShape& shape, JsonOptions options) {
    Draft draft;
    const RuleId root = draft.declare("root");
    HEFT_TRY(const ExprId body, ShapeWriter(draft, options).write(shape));
    draft.define(root, body);
    return finish(draft, root);
}

}  // namespace heft::grammar
