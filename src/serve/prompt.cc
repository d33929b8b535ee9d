#include "serve/prompt.h"

#include <fmt/format.h>

#include "base/json.h"
#include "text/chat_prompt.h"

namespace heft::serve {

namespace {

// Templates take arguments apart, so they get them as an object where they are one.
Json template_arguments(const std::string& arguments) {
    auto tree = parse_json_tree(arguments);
    return tree && tree->is_object() ? std::move(*tree) : Json(arguments);
}

Result<Json> chat_variables(const engine::Engine& engine, const Request& request) {
    HEFT_TRY(Json variables, engine.template_variables());
    for (const auto& [name, value] : request.template_variables.items()) variables[name] = value;
    Json messages = Json::array();
    const std::size_t count = request.messages.size() - (request.continue_last ? 1 : 0);
    for (std::size_t i = 0; i < count; ++i)
        messages.push_back(template_message(request.messages[i]));
    variables["messages"] = std::move(messages);
    variables["add_generation_prompt"] = true;
    if (!request.tools.empty() && request.tool_use != ToolUse::none) {
        Json tools = Json::array();
        for (const Tool& tool : request.tools) tools.push_back(template_tool(tool));
        variables["tools"] = std::move(tools);
    }
    if (request.think) {  // the names that published templates ask for
        variables["enable_thinking"] = *request.think;
        variables["thinking"] = *request.think;
    }
    return variables;
}

Status require_template(const engine::Engine& engine) {
    const auto source = engine.template_source();
    if (source) return {};
    if (source.error().code != Code::not_found) return source.error();
    return Error{Code::unsupported,
                 "the model has no chat template, so it cannot hold a conversation; let it "
                 "continue a text with a completion request"};
}

void note_what_is_not_told(const Request& request, const std::string& source,
                           std::vector<std::string>& degraded) {
    const auto knows = [&source](std::string_view word) {
        return source.find(word) != std::string::npos;
    };
    if (!request.tools.empty() && request.tool_use != ToolUse::none && !knows("tools"))
        degraded.emplace_back(
            "tools: the model's chat template has no place for them, so the model does not know "
            "them");
    if (request.think.value_or(false) && !knows("thinking"))
        degraded.emplace_back("thinking: the model's chat template cannot ask for it");
}

}  // namespace

Json template_message(const Message& message) {
    Json out = {{"role", std::string(to_string(message.role))}, {"content", message.text}};
    if (!message.reasoning.empty()) out["reasoning_content"] = message.reasoning;
    if (!message.name.empty()) out["name"] = message.name;
    if (!message.call_id.empty()) out["tool_call_id"] = message.call_id;
    if (message.calls.empty()) return out;
    Json calls = Json::array();
    for (const ToolCall& call : message.calls)
        calls.push_back(
            {{"id", call.id},
             {"type", "function"},
             {"function",
              {{"name", call.name}, {"arguments", template_arguments(call.arguments)}}}});
    out["tool_calls"] = std::move(calls);
    return out;
}

Json template_tool(const Tool& tool) {
    return {{"type", "function"},
            {"function",
             {{"name", tool.name},
              {"description", tool.description},
              {"parameters", tool.parameters}}}};
}

Result<std::string> rendered_chat(const engine::Engine& engine, const Request& request) {
    HEFT_OK(require_template(engine));
    HEFT_TRY(const text::ChatTemplate* chat, engine.chat_template());
    HEFT_TRY(const Json variables, chat_variables(engine, request));
    HEFT_TRY(std::string text, chat->render(variables));
    if (request.continue_last) text += request.messages.back().text;
    return text;
}

Result<std::vector<engine::TokenId>> chat_prompt(const engine::Engine& engine,
                                                 const Request& request,
                                                 std::vector<std::string>& degraded) {
    HEFT_OK(require_template(engine));
    HEFT_TRY(const text::ChatTemplate* chat, engine.chat_template());
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    HEFT_TRY(const std::string source, engine.template_source());
    note_what_is_not_told(request, source, degraded);
    HEFT_TRY(const Json variables, chat_variables(engine, request));
    HEFT_TRY(std::vector<engine::TokenId> ids, text::encode_chat(*chat, *tokenizer, variables));
    if (request.continue_last) {
        const auto begun = tokenizer->encode(request.messages.back().text,
                                             {.add_special = false, .parse_special = false});
        ids.insert(ids.end(), begun.begin(), begun.end());
    }
    return ids;
}

Result<std::vector<engine::TokenId>> text_prompt(const engine::Engine& engine,
                                                 const Prompt& prompt) {
    if (const auto* text = std::get_if<std::string>(&prompt)) {
        HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
        return tokenizer->encode(*text, {.add_special = true, .parse_special = true});
    }
    const auto& ids = std::get<std::vector<engine::TokenId>>(prompt);
    HEFT_TRY(const arch::Config* config, engine.config());
    for (const engine::TokenId id : ids)
        if (id < 0 || id >= config->n_vocab)
            return Error{Code::invalid, fmt::format("the prompt's token id {} is not within the "
                                                    "model's 0 to {}",
                                                    id, config->n_vocab - 1)};
    return ids;
}

}  // namespace heft::serve
