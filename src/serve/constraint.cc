#include "serve/constraint.h"

#include <algorithm>

#include <fmt/format.h>

#include "grammar/call_grammar.h"
#include "serve/reply_reader.h"
#include "text/call_shape.h"

namespace heft::serve {

namespace {

using grammar::Grammar;
using text::CallShape;

constexpr const char* kFormParam = "response_format";
constexpr const char* kSchemaParam = "response_format.json_schema.schema";

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string param_of(const ReplyForm& form) {
    switch (form.shape) {
        case ReplyShape::schema: return kSchemaParam;
        case ReplyShape::grammar: return "grammar";
        case ReplyShape::regex: return "regex";
        case ReplyShape::text:
        case ReplyShape::json: break;
    }
    return kFormParam;
}

Result<Grammar> grammar_of(const ReplyForm& form) {
    switch (form.shape) {
        case ReplyShape::schema: return Grammar::from_json_schema(form.schema);
        case ReplyShape::grammar: return Grammar::from_gbnf(form.source);
        case ReplyShape::regex: return Grammar::from_regex(form.source);
        case ReplyShape::text:
        case ReplyShape::json: break;
    }
    return Grammar::any_json_object();
}

// Everything that decides what the grammar of a shape is; unambiguous by the lengths.
void append_key(const CallShape& shape, std::string& key) {
    key += fmt::format("{},{},{},{},{}:", static_cast<int>(shape.kind), shape.min, shape.max,
                       shape.parts.size(), shape.text.size());
    key += shape.text;
    for (const CallShape& part : shape.parts) append_key(part, key);
}

std::string key_of(const ReplyForm& form) {
    return fmt::format("form {}:", static_cast<int>(form.shape))
           + (form.shape == ReplyShape::schema ? dumped(form.schema) : form.source);
}

template <class Compile>
Result<std::shared_ptr<grammar::Constraint>> compiled(const engine::Engine& engine, std::string key,
                                                      const Compile& compile) {
    if (auto known = engine.constraints().find(key)) return known;
    HEFT_TRY(Grammar grammar, compile());
    HEFT_TRY(auto words, engine.vocabulary(true));
    auto made = grammar::Constraint::make(std::move(grammar), std::move(words));
    engine.constraints().keep(std::move(key), made);
    return made;
}

Result<std::shared_ptr<grammar::Constraint>> compiled(const engine::Engine& engine,
                                                      const CallShape& shape) {
    std::string key = "calls ";
    append_key(shape, key);
    return compiled(engine, std::move(key), [&] { return grammar::from_call_shape(shape); });
}

// One request's form on its way into the job.
class Arming {
  public:
    Arming(const Request& request, const engine::Engine& engine, engine::Request& job,
           std::vector<std::string>& degraded)
        : request_(request), engine_(engine), job_(job), degraded_(degraded) {
        if (request.is_chat) start_ = reply_start(engine, job.prompt);
    }

    std::optional<Failure> run() {
        const bool has_form = request_.form.shape != ReplyShape::text;
        switch (request_.tool_use) {
            case ToolUse::required:
            case ToolUse::named: return require_calls();
            case ToolUse::automatic:
                if (request_.tools.empty()) break;
                return has_form ? calls_or_form() : allow_calls();
            case ToolUse::none: break;
        }
        return has_form ? hold_to_form() : std::nullopt;
    }

  private:
    Result<text::CallRules> rules(text::CallChoice choice, bool may_reason) const {
        std::vector<text::Tool> tools = offered_tools(request_);
        if (request_.tool_use == ToolUse::named)
            tools.erase(std::remove_if(tools.begin(), tools.end(),
                                       [this](const text::Tool& tool) {
                                           return tool.name != request_.tool_name;
                                       }),
                        tools.end());
        text::CallRuleOptions options;
        options.choice = choice;
        options.parallel = request_.parallel_calls;
        options.in_reasoning = may_reason && start_.in_reasoning;
        options.may_reason = may_reason && request_.think.value_or(true);
        return text::call_rules(*start_.format, tools, options);
    }

    // The tool at fault, if it is one of them.
    Failure tools_failure(const Error& error) const {
        for (std::size_t i = 0; i < request_.tools.size(); ++i) {
            const auto alone = Grammar::from_json_schema(request_.tools[i].parameters);
            if (alone) continue;
            return invalid(
                fmt::format("tools[{}].function.parameters", i),
                fmt::format("tool \"{}\": {}", request_.tools[i].name, alone.error().what),
                "unsupported_schema");
        }
        if (error.code == Code::exhausted)
            return invalid("tools",
                           fmt::format("the schemas of the {} tools are too large to be enforced "
                                       "together ({}); offer fewer tools, or let the model choose "
                                       "(tool_choice \"auto\")",
                                       request_.tools.size(), error.what),
                           "unsupported_schema");
        return invalid("tools", error.what, "unsupported_schema");
    }

    std::optional<Failure> require_calls() {
        const auto calls = rules(text::CallChoice::required, true);
        if (!calls && calls.error().code == Code::unsupported)
            return invalid("tool_choice",
                           calls.error().what + ", so a call cannot be enforced; use \"auto\"",
                           "unsupported_parameter");
        if (!calls) return tools_failure(calls.error());
        auto constraint = compiled(engine_, calls->shape);
        if (!constraint) return tools_failure(constraint.error());
        job_.form.constraint = std::move(*constraint);
        return {};
    }

    std::optional<Failure> allow_calls() {
        const auto calls = rules(text::CallChoice::automatic, false);
        if (!calls) return not_enforced(calls.error());
        if (calls->triggers.empty() && calls->start_trigger.empty())
            return not_enforced({Code::unsupported,
                                 "in the model's format a call cannot be told from text when it "
                                 "begins"});
        auto constraint = compiled(engine_, calls->shape);
        if (!constraint) return not_enforced(constraint.error());
        job_.form.constraint = std::move(*constraint);
        job_.form.triggers = calls->triggers;
        job_.form.start_trigger = calls->start_trigger;
        set_aside();
        return {};
    }

    // Calls that may be made can only be read.
    std::optional<Failure> not_enforced(const Error& error) {
        for (const Tool& tool : request_.tools)
            if (tool.strict) return tools_failure(error);
        degraded_.push_back("tools: calls are read but not held to their schemas: " + error.what);
        return {};
    }

    void set_aside() {
        const text::Reasoning& thought = start_.format->reasoning[0];
        job_.form.aside_close = text::bare(thought.close);
        if (request_.think.value_or(true)) job_.form.aside_open = text::bare(thought.open);
        job_.form.in_aside = start_.in_reasoning;
    }

    // Replies that are a series of messages begin with a header, which no form allows for.
    std::optional<Failure> check_format() const {
        if (!request_.is_chat || !start_.format->channels.used()) return {};
        return invalid(kFormParam,
                       fmt::format("the replies of this model are a series of messages (format "
                                   "{}), whose form cannot be enforced; ask for text",
                                   start_.format->name),
                       "unsupported_parameter");
    }

    std::optional<Failure> hold_to_form() {
        if (auto failure = check_format()) return failure;
        auto constraint =
            compiled(engine_, key_of(request_.form), [this] { return grammar_of(request_.form); });
        if (!constraint) return form_failure(constraint.error());
        job_.form.constraint = std::move(*constraint);
        if (request_.is_chat) set_aside();
        return {};
    }

    Failure form_failure(const Error& error) const {
        return invalid(param_of(request_.form), error.what, "unsupported_schema");
    }

    // Either calls and nothing else, or a reply of the form.
    std::optional<Failure> calls_or_form() {
        if (auto failure = check_format()) return failure;
        const bool is_json =
            request_.form.shape == ReplyShape::json || request_.form.shape == ReplyShape::schema;
        const auto calls = rules(text::CallChoice::required, false);
        if (!is_json || !calls) {
            degraded_.emplace_back("tools: the reply is held to its form, so no tool is called");
            return hold_to_form();
        }
        const auto alone = grammar_of(request_.form);
        if (!alone) return form_failure(alone.error());
        CallShape form;
        form.kind = CallShape::Kind::schema;
        form.text = request_.form.shape == ReplyShape::schema ? dumped(request_.form.schema) : "{}";
        CallShape either;
        either.kind = CallShape::Kind::choice;
        either.parts = {calls->shape, std::move(form)};
        auto constraint = compiled(engine_, either);
        if (!constraint) return tools_failure(constraint.error());
        job_.form.constraint = std::move(*constraint);
        set_aside();
        return {};
    }

    const Request& request_;
    const engine::Engine& engine_;
    engine::Request& job_;
    std::vector<std::string>& degraded_;
    ReplyStart start_;
};

}  // namespace

std::optional<Failure> constrain(const Request& request, const engine::Engine& engine,
                                 engine::Request& job, std::vector<std::string>& degraded) {
    return Arming(request, engine, job, degraded).run();
}

}  // namespace heft::serve
