#include "serve/api/responses_input.h"

#include "serve/api/fields.h"

namespace heft::serve::responses {

namespace {

using enum JsonType;

// The assistant's message that the items before have begun, or a new one: a reply comes in as
// several items.
Message& assistant_turn(std::vector<Message>& messages) {
    if (messages.empty() || messages.back().role != Role::assistant)
        messages.push_back({.role = Role::assistant});
    return messages.back();
}

std::optional<Failure> add_said(const Json& item, const std::string& where, Draft& draft) {
    constexpr std::pair<std::string_view, Role> kRoles[] = {{"user", Role::user},
                                                            {"assistant", Role::assistant},
                                                            {"system", Role::system},
                                                            {"developer", Role::system}};
    const std::string role = string_member(item, "role");
    const Json* content = member(item, "content");
    std::string text;
    if (content == nullptr) return invalid(where + ".content", where + " has no content");
    if (auto failure = join_text(*content, where + ".content", text)) return failure;
    for (const auto& [name, known] : kRoles) {
        if (role != name) continue;
        auto& all = draft.request.messages;
        if (known == Role::assistant && !all.empty() && all.back().role == Role::assistant
            && all.back().text.empty() && all.back().calls.empty())
            all.back().text = std::move(text);
        else
            all.push_back({.role = known, .text = std::move(text)});
        return {};
    }
    return invalid(where + ".role", where + ".role has to be user, assistant, system or developer");
}

std::optional<Failure> add_result(const Json& item, const std::string& where, Draft& draft) {
    Message result;
    result.role = Role::tool;
    result.call_id = string_member(item, "call_id");
    if (const Json* output = member(item, "output"))
        if (auto failure = join_text(*output, where + ".output", result.text)) return failure;
    draft.request.messages.push_back(std::move(result));
    return {};
}

std::optional<Failure> add_item(const Json& item, const std::string& where, Draft& draft) {
    const std::string type = string_member(item, "type");
    auto& all = draft.request.messages;
    if (type.empty() || type == "message") return add_said(item, where, draft);
    if (type == "function_call_output") return add_result(item, where, draft);
    if (type == "function_call") {
        const std::string name = string_member(item, "name");
        if (name.empty()) return invalid(where + ".name", where + " has no name");
        assistant_turn(all).calls.push_back(
            {string_member(item, "call_id"), name, string_member(item, "arguments")});
        return {};
    }
    if (type == "reasoning") {
        Message& turn = assistant_turn(all);
        const Json* content = member(item, "content");
        if (content == nullptr || !content->is_array()) return {};
        for (const Json& part : *content) turn.reasoning += string_member(part, "text");
        return {};
    }
    return invalid(where + ".type", where + ": only messages, function calls, their outputs and "
                                            "reasoning are understood",
                   "unsupported_content");
}

std::optional<Failure> take_input(const Json& value, Draft& draft) {
    if (value.is_string()) {
        draft.request.messages.push_back({.role = Role::user, .text = value.get<std::string>()});
        return {};
    }
    for (std::size_t i = 0; i < value.size(); ++i)
        if (auto failure = add_item(value[i], indexed("input", i), draft)) return failure;
    return {};
}

// Flat, where chat completions wrap the function.
std::optional<Failure> take_flat_tools(const Json& value, Draft& draft) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string where = indexed("tools", i);
        if (string_member(value[i], "type") != "function")
            return invalid(where, where + ": only functions are supported; tools that the server "
                                          "runs are not",
                           "unsupported_tool");
        if (auto failure = add_tool(string_member(value[i], "name"), value[i],
                                    member(value[i], "parameters"), where, draft))
            return failure;
    }
    return {};
}

std::optional<Failure> take_text(const Json& value, Draft& draft) {
    for (const auto& [name, part] : value.items()) {
        const std::string& key = name;
        if (key == "verbosity" && !part.is_null())
            draft.degrade("text.verbosity: the model cannot be told how long to write");
        else if (key != "format" && !part.is_null())
            return invalid("text." + key, "text has format and verbosity, and nothing else",
                           "unknown_parameter");
    }
    const Json* format = member(value, "format");
    return format == nullptr ? std::nullopt : take_response_format(*format, draft);
}

std::optional<Failure> take_reasoning(const Json& value, Draft& draft) {
    if (member(value, "summary") != nullptr || member(value, "generate_summary") != nullptr)
        draft.degrade("reasoning.summary: thoughts are given as they are, not in summary");
    const Json* effort = member(value, "effort");
    if (effort == nullptr) return {};
    if (!effort->is_string()) return invalid("reasoning.effort", "reasoning.effort is no text");
    return take_effort(*effort, draft);
}

std::optional<Failure> take_truncation(const Json& value, Draft& draft) {
    const auto word = value.get<std::string>();
    if (word != "auto" && word != "disabled")
        return invalid("truncation", "truncation has to be auto or disabled");
    draft.request.truncate = word == "auto";
    return {};
}

std::optional<Failure> take_background(const Json& value, Draft& /*draft*/) {
    if (!value.get<bool>()) return {};
    return invalid("background", "background: responses are made while the client waits",
                   "unsupported_parameter");
}

std::optional<Failure> take_include(const Json& value, Draft& draft) {
    for (const Json& each : value) {
        const std::string what = each.is_string() ? each.get<std::string>() : "";
        // Thoughts are in every reply as they are; there is nothing encrypted about them.
        if (what == "reasoning.encrypted_content") continue;
        draft.degrade("include: only reasoning.encrypted_content is understood");
    }
    return {};
}

constexpr Parameter kParameters[] = {
    {"model", string, "the model's name; without it, the server's first", take_model},
    {"input", string | array, "what the user says, or a list of items", take_input},
    {"instructions", string, "what the model is told first; not carried over to the next response",
     take_draft<&Draft::system>},
    {"previous_response_id", string, "the response that this one continues",
     take_draft<&Draft::previous_id>},
    {"store", boolean, "keep the response, so that it can be continued; the default",
     take_draft<&Draft::store>},
    {"max_output_tokens", integer, "tokens to make at most", take_request<&Request::max_tokens>, 1,
     1e9},
    {"temperature", number, "0 takes the most probable token",
     take_sampling<&Sampling::temperature>, 0, 2},
    {"top_p", number, "sample from the most probable tokens that make up this share",
     take_sampling<&Sampling::top_p>, 0, 1},
    {"seed", integer, "the same seed gives the same reply (heft's own)",
     take_sampling<&Sampling::seed>, -1, 9e18},
    {"stream", boolean, "send the reply as it is made", take_request<&Request::stream>},
    {"tools", array, "functions that the model may call", take_flat_tools},
    {"tool_choice", string | object, "auto, none, required, or a function", take_tool_choice},
    {"parallel_tool_calls", boolean, "whether one reply may make several calls",
     take_request<&Request::parallel_calls>},
    {"text", object, "format: text, json_object or json_schema", take_text},
    {"reasoning", object, "effort, where the template can ask for it", take_reasoning},
    {"truncation", string, "auto cuts a prompt that is too long; disabled refuses it",
     take_truncation},
    {"background", boolean, "only false", take_background},
    {"include", array, "more in the reply", take_include},
    row("metadata", object, Use::accepted, kNothing),
    row("user", string, Use::accepted, kNothing),
    row("service_tier", string, Use::accepted, kNothing),
    row("safety_identifier", string, Use::accepted, kNothing),
    row("prompt_cache_key", string, Use::accepted, "prefixes are shared without it"),
    row("stream_options", object, Use::accepted, kNothing),
    row("top_logprobs", integer, Use::degraded, "log-probabilities are told by chat completions"),
    row("max_tool_calls", integer, Use::degraded, "the server runs no tools to be counted"),
    row("conversation", any, Use::refused, "use previous_response_id"),
    row("prompt", object, Use::refused, "there are no stored prompts"),
};

}  // namespace

Parameters parameters() {
    return kParameters;
}

}  // namespace heft::serve::responses
