// From a request to token ids, with the model's own chat template.
#pragma once

#include <string>
#include <vector>

#include "serve/request.h"

namespace heft::serve {

// One message, one tool as chat templates expect them.
Json template_message(const Message& message);
Json template_tool(const Tool& tool);

// What the template makes of the conversation, for people to look at. Errors as of chat_prompt().
Result<std::string> rendered_chat(const engine::Engine& engine, const Request& request);

// What cannot be told to this model (tools without a place in the template, say) is added to
// `degraded`. A model without a template cannot chat: Code::unsupported.
Result<std::vector<engine::TokenId>> chat_prompt(const engine::Engine& engine,
                                                 const Request& request,
                                                 std::vector<std::string>& degraded);

// A text as it stands, with the control tokens that are spelled in it, or ids as they are.
Result<std::vector<engine::TokenId>> text_prompt(const engine::Engine& engine,
                                                 const Prompt& prompt);

}  // namespace heft::serve
