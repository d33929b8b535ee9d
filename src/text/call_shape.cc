#include "text/call_shape.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "text/json_scan.h"

namespace heft::text {

namespace {

using Json = nlohmann::ordered_json;
using Kind = CallShape::Kind;

constexpr std::size_t kMaxLeadingOptional = 64;

CallShape literal(std::string text) {
    return {Kind::literal, std::move(text), {}, 1, 1};
}

CallShape schema(std::string text) {
    return {Kind::schema, std::move(text), {}, 1, 1};
}

CallShape text_until(std::string_view end) {
    return {Kind::text_until, std::string(end), {}, 1, 1};
}

CallShape sequence(std::vector<CallShape> parts) {
    return {Kind::sequence, {}, std::move(parts), 1, 1};
}

CallShape choice(std::vector<CallShape> parts) {
    if (parts.size() == 1) return std::move(parts.front());
    return {Kind::choice, {}, std::move(parts), 1, 1};
}

CallShape repeat(CallShape part, std::string_view between, int min, int max) {
    CallShape shape{Kind::repeat, {}, {}, min, max};
    shape.parts.push_back(std::move(part));
    if (!between.empty()) shape.parts.push_back(literal(std::string(between)));
    return shape;
}

std::string json_quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

// One parameter of a tool, where a format writes them one by one.
struct Parameter {
    std::string name;
    std::string schema;  // with the definitions that it may refer to
    bool required = false;
    bool is_text = false;              // any string
    std::vector<std::string> strings;  // if one of these
};

std::vector<std::string> strings_of_enum(const Json& property) {
    std::vector<std::string> strings;
    if (!property.contains("enum") || !property["enum"].is_array()) return strings;
    for (const auto& value : property["enum"]) {
        if (!value.is_string()) return {};
        strings.push_back(value.get<std::string>());
    }
    return strings;
}

bool is_required(const Json& root, const std::string& name) {
    if (!root.contains("required") || !root["required"].is_array()) return false;
    const auto& required = root["required"];
    return std::find(required.begin(), required.end(), name) != required.end();
}

Parameter parameter_of(const Json& root, const std::string& name, const Json& property) {
    Parameter parameter;
    parameter.name = name;
    parameter.required = is_required(root, name);
    parameter.strings = strings_of_enum(property);
    const bool is_string = property.contains("type") && property["type"] == "string";
    parameter.is_text = is_string && parameter.strings.empty();
    Json whole = property;
    for (const char* key : {"$defs", "definitions"})
        if (root.contains(key) && !whole.contains(key)) whole[key] = root[key];
    parameter.schema = whole.dump(-1, ' ', false, Json::error_handler_t::replace);
    return parameter;
}

// Required ones first: then what stands between two of them does not depend on what came before.
Result<std::vector<Parameter>> parameters_of(const Tool& tool) {
    std::vector<Parameter> parameters;
    if (tool.parameters.empty()) return parameters;
    HEFT_TRY(const Json root, parse_json_tree(tool.parameters));
    if (!root.is_object() || !root.contains("properties")) return parameters;
    if (!root["properties"].is_object())
        return Error{Code::invalid, "tool " + tool.name + ": its properties are no object"};
    for (const auto& item : root["properties"].items()) {
        if (!item.value().is_object())
            return Error{Code::invalid, "tool " + tool.name + ": the schema of " + item.key()
                                            + " has to be an object"};
        parameters.push_back(parameter_of(root, item.key(), item.value()));
    }
    std::stable_partition(parameters.begin(), parameters.end(),
                          [](const Parameter& parameter) { return parameter.required; });
    return parameters;
}

CallShape alternatives(const std::vector<std::string>& strings) {
    std::vector<CallShape> parts;
    parts.reserve(strings.size());
    for (const auto& text : strings) parts.push_back(literal(text));
    return choice(std::move(parts));
}

CallShape tagged_parameter(const CallSyntax& syntax, const Parameter& parameter) {
    const bool bare_text = parameter.is_text || !parameter.strings.empty();
    std::string before =
        std::string(syntax.param_open) + parameter.name + std::string(syntax.key_close);
    if (!syntax.hint_close.empty())
        before += (bare_text ? "true" : "false") + std::string(syntax.hint_close);
    before += syntax.value_open;
    CallShape value = parameter.is_text           ? text_until(bare(syntax.param_close))
                      : parameter.strings.empty() ? schema(parameter.schema)
                                                  : alternatives(parameter.strings);
    // Text runs up to the tag: the line break before it is the text's last character.
    const auto after =
        parameter.is_text
            ? syntax.param_close.substr(syntax.param_close.find(bare(syntax.param_close)))
            : syntax.param_close;
    CallShape shape = sequence({literal(before), std::move(value), literal(std::string(after))});
    return parameter.required ? shape : repeat(std::move(shape), {}, 0, 1);
}

CallShape tagged_call(const CallSyntax& syntax, const Tool& tool,
                      const std::vector<Parameter>& parameters) {
    std::vector<CallShape> parts;
    parts.push_back(literal(tool.name + std::string(syntax.name_close)));
    for (const auto& parameter : parameters) parts.push_back(tagged_parameter(syntax, parameter));
    return sequence(std::move(parts));
}

CallShape named_value(const CallSyntax& syntax, const Parameter& parameter) {
    const bool python = syntax.body == CallBody::python;
    std::vector<CallShape> parts;
    parts.push_back(literal(parameter.name + (python ? "=" : ":")));
    if (python || (!parameter.is_text && parameter.strings.empty())) {
        parts.push_back(schema(parameter.schema));
    } else {
        const std::string quote(syntax.quote);
        parts.push_back(literal(quote));
        parts.push_back(parameter.is_text ? text_until(quote) : alternatives(parameter.strings));
        parts.push_back(literal(quote));
    }
    return sequence(std::move(parts));
}

// The values from `from` on, each with a comma before it.
CallShape following(const CallSyntax& syntax, const std::vector<Parameter>& parameters,
                    std::size_t from, std::string_view comma) {
    std::vector<CallShape> parts;
    for (std::size_t i = from; i < parameters.size(); ++i) {
        CallShape part =
            sequence({literal(std::string(comma)), named_value(syntax, parameters[i])});
        parts.push_back(parameters[i].required ? std::move(part)
                                               : repeat(std::move(part), {}, 0, 1));
    }
    return sequence(std::move(parts));
}

CallShape bracket_call(const CallSyntax& syntax, const Tool& tool,
                       const std::vector<Parameter>& parameters) {
    const bool python = syntax.body == CallBody::python;
    const std::string_view comma = python ? ", " : ",";
    std::vector<CallShape> ways;
    for (std::size_t i = 0; i < std::min(parameters.size(), kMaxLeadingOptional); ++i) {
        ways.push_back(sequence(
            {named_value(syntax, parameters[i]), following(syntax, parameters, i + 1, comma)}));
        if (parameters[i].required) break;
    }
    if (parameters.empty() || !parameters.front().required) ways.push_back(sequence({}));
    const std::string open = tool.name + std::string(syntax.name_suffix) + (python ? "(" : "{");
    return sequence({literal(open), choice(std::move(ways)), literal(python ? ")" : "}")});
}

CallShape arguments_of(const Tool& tool) {
    return schema(tool.parameters.empty() ? R"({"type":"object"})" : tool.parameters);
}

CallShape named_call(const CallSyntax& syntax, const Tool& tool) {
    std::vector<CallShape> parts;
    parts.push_back(literal(tool.name));
    if (syntax.counted) {
        parts.push_back(literal(std::string(syntax.name_tail)));
        parts.push_back(schema(R"({"type":"integer","minimum":0,"maximum":99})"));
    }
    parts.push_back(literal(std::string(syntax.name_close)));
    parts.push_back(arguments_of(tool));
    return sequence(std::move(parts));
}

CallShape object_call(const CallSyntax& syntax, const Tool& tool) {
    const bool keyed = syntax.body == CallBody::keyed;
    const std::string before = keyed ? "{" + json_quoted(tool.name) + ": "
                                     : "{" + json_quoted(syntax.name_key) + ": "
                                           + json_quoted(tool.name) + ", "
                                           + json_quoted(syntax.arguments_key) + ": ";
    return sequence({literal(before), arguments_of(tool), literal("}")});
}

Result<CallShape> body_of(const CallSyntax& syntax, const Tool& tool) {
    switch (syntax.body) {
        case CallBody::object:
        case CallBody::keyed: return object_call(syntax, tool);
        case CallBody::named: return named_call(syntax, tool);
        case CallBody::tagged: {
            HEFT_TRY(const auto parameters, parameters_of(tool));
            return tagged_call(syntax, tool, parameters);
        }
        case CallBody::python:
        case CallBody::braces: {
            HEFT_TRY(const auto parameters, parameters_of(tool));
            return bracket_call(syntax, tool, parameters);
        }
    }
    return sequence({});
}

Status check(const Tool& tool) {
    if (tool.parameters.empty()) return {};
    const auto doc = JsonDoc::parse(tool.parameters);
    if (!doc) return Error{Code::invalid, "tool " + tool.name + ": " + doc.error().what};
    if (doc->root().is<JsonObject>() || doc->root().is<bool>()) return {};
    return Error{Code::invalid, "tool " + tool.name + ": its parameters are no JSON schema"};
}

Result<CallShape> any_call(const CallSyntax& syntax, std::span<const Tool> tools) {
    std::vector<CallShape> ways;
    for (const auto& tool : tools) {
        HEFT_OK(check(tool));
        HEFT_TRY(CallShape body, body_of(syntax, tool));
        ways.push_back(std::move(body));
    }
    CallShape call = choice(std::move(ways));
    if (syntax.call_open.empty() && syntax.call_close.empty()) return call;
    return sequence({literal(std::string(syntax.call_open)), std::move(call),
                     literal(std::string(syntax.call_close))});
}

// Sections follow one another where one has room for one call only.
CallShape sections(const CallSyntax& syntax, CallShape call, bool parallel, bool header_in_prompt) {
    const int many = parallel ? -1 : 1;
    const auto open =
        literal(std::string(syntax.open) + std::string(syntax.lead) + (syntax.list ? "[" : ""));
    const auto close = literal((syntax.list ? "]" : "") + std::string(syntax.close));
    if (header_in_prompt) return repeat(std::move(call), syntax.open, 1, many);
    const bool one_each = !syntax.list && syntax.call_open.empty() && syntax.separator.empty();
    if (one_each) {
        const std::string_view between = syntax.open.ends_with('\n') ? "\n" : "";
        return repeat(sequence({open, std::move(call), close}), between, 1, many);
    }
    const std::string_view between = syntax.list ? ", " : syntax.separator;
    return sequence({open, repeat(std::move(call), between, 1, many), close});
}

CallShape after_thought(const ReplyFormat& format, CallShape calls,
                        const CallRuleOptions& options) {
    auto [open, close] = format.reasoning[0];
    if (format.channels.used()) {
        open = format.channels.thought_open;
        close = format.channels.thought_close;
    }
    if (bare(close).empty()) return calls;
    // The line break before the mark is the thought's last character, if the model writes it.
    const auto end = close.substr(close.find(bare(close)));
    CallShape thought = sequence({text_until(bare(close)), literal(std::string(end))});
    if (options.in_reasoning) return sequence({std::move(thought), std::move(calls)});
    if (!options.may_reason) return calls;
    CallShape whole = sequence({literal(std::string(open)), std::move(thought)});
    return sequence({repeat(std::move(whole), {}, 0, 1), std::move(calls)});
}

std::string start_trigger(const CallSyntax& syntax) {
    if (!syntax.open.empty() || syntax.body != CallBody::object) return {};
    return (syntax.list ? "[{" : "{") + json_quoted(syntax.name_key) + ": \"";
}

// Of automatic choice: the syntax that has a mark to wait for, if any has.
const CallSyntax& enforced(const ReplyFormat& format, CallChoice choice) {
    const auto syntaxes = format.syntaxes();
    if (choice == CallChoice::required || !start_trigger(syntaxes[0]).empty()) return syntaxes[0];
    const auto found = std::find_if(syntaxes.begin(), syntaxes.end(), [](const CallSyntax& syntax) {
        return !bare(syntax.open).empty();
    });
    return found == syntaxes.end() ? syntaxes[0] : *found;
}

}  // namespace

Result<CallRules> call_rules(const ReplyFormat& format, std::span<const Tool> tools,
                             CallRuleOptions options) {
    if (format.syntaxes().empty())
        return Error{Code::unsupported,
                     "the model's chat template has no known format of tool calls"};
    if (tools.empty()) return Error{Code::invalid, "there is no tool to call"};
    const CallSyntax& syntax = enforced(format, options.choice);
    const bool header_in_prompt = format.channels.header_is_name;
    HEFT_TRY(CallShape call, any_call(syntax, tools));
    // A message to a tool is the last one of its answer.
    if (!format.channels.recipient.empty()) options.parallel = false;
    CallRules rules;
    rules.shape = sections(syntax, std::move(call), options.parallel, header_in_prompt);
    if (options.choice == CallChoice::required) {
        rules.shape = after_thought(format, std::move(rules.shape), options);
        return rules;
    }
    rules.start_trigger = start_trigger(syntax);
    if (!bare(syntax.open).empty() && !header_in_prompt)
        rules.triggers.emplace_back(bare(syntax.open));
    return rules;
}

}  // namespace heft::text
