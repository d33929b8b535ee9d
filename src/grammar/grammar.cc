#include "grammar/grammar.h"

#include <limits>

#include "base/check.h"
#include "grammar/chart.h"
#include "grammar/gbnf.h"
#include "grammar/json_text.h"
#include "grammar/pattern.h"
#include "grammar/schema.h"

namespace heft::grammar {

namespace {

const Node* read(Chart& chart, std::string_view text) {
    const Node* node = chart.start();
    for (std::size_t i = 0; i < text.size() && node != nullptr; ++i)
        node = chart.step(node, static_cast<std::uint8_t>(text[i]));
    return node;
}

Grammar any_json(JsonOptions options, bool only_objects) {
    Draft draft;
    JsonText json(draft, options.spacing);
    const RuleId root = draft.declare("root");
    draft.define(root, only_objects ? json.any_object() : json.any_value());
    auto grammar = finish(draft, root);
    HEFT_CHECK(static_cast<bool>(grammar));
    return std::move(*grammar);
}

}  // namespace

Result<Grammar> finish(const Draft& draft, RuleId root) {
    HEFT_TRY(Automaton automaton, Automaton::make(draft, root));
    return Grammar(std::make_shared<const Automaton>(std::move(automaton)));
}

Result<Grammar> Grammar::from_json_schema(const nlohmann::ordered_json& schema,
                                          JsonOptions options) {
    Draft draft;
    HEFT_TRY(const RuleId root, write_schema(schema, options, draft));
    return finish(draft, root);
}

Result<Grammar> Grammar::from_gbnf(std::string_view source) {
    Draft draft;
    HEFT_TRY(const RuleId root, write_gbnf(source, draft));
    return finish(draft, root);
}

Result<Grammar> Grammar::from_regex(std::string_view pattern) {
    Draft draft;
    const RuleId root = draft.declare("root");
    const auto plain = [&draft](const std::vector<CodeRange>& chars) { return draft.chars(chars); };
    HEFT_TRY(const Pattern whole, write_pattern(pattern, PatternMode::whole, plain, draft));
    draft.define(root, whole.expr);
    return finish(draft, root);
}

Grammar Grammar::any_json_value(JsonOptions options) {
    return any_json(options, false);
}

Grammar Grammar::any_json_object(JsonOptions options) {
    return any_json(options, true);
}

bool Grammar::matches(std::string_view text) const {
    Chart chart(*automaton_);
    chart.allow_work(std::numeric_limits<std::int32_t>::max());
    const Node* node = read(chart, text);
    return node != nullptr && node->accepting;
}

bool Grammar::begins(std::string_view text) const {
    Chart chart(*automaton_);
    chart.allow_work(std::numeric_limits<std::int32_t>::max());
    return read(chart, text) != nullptr;
}

}  // namespace heft::grammar
