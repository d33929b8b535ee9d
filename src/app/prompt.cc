#include "app/prompt.h"

#include <nlohmann/json.hpp>

#include "text/chat_prompt.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json message(const std::string& role, const std::string& content) {
    return {{"role", role}, {"content", content}};
}

Result<Json> chat_variables(const engine::Engine& engine, const Json& messages) {
    HEFT_TRY(Json variables, engine.template_variables());
    variables["messages"] = messages;
    variables["add_generation_prompt"] = true;
    return variables;
}

Result<std::vector<engine::TokenId>> chat_ids(const engine::Engine& engine, const Json& messages) {
    HEFT_TRY(const text::ChatTemplate* chat, engine.chat_template());
    HEFT_TRY(const text::Tokenizer* tokenizer, engine.tokenizer());
    HEFT_TRY(const Json variables, chat_variables(engine, messages));
    return text::encode_chat(*chat, *tokenizer, variables);
}

}  // namespace heft::app
