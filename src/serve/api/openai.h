// Pieces of OpenAI's replies that its several endpoints share.
#pragma once

#include "serve/answer.h"
#include "serve/api/endpoint.h"

namespace heft::serve::openai {

Json usage(const Usage& usage);
const char* finish_reason(Finish finish);
Json tool_call(const ToolCall& call);
Json chat_logprobs(const std::vector<TokenInfo>& tokens);
// Offsets count from the reply's beginning, on which `offset` keeps count.
Json completion_logprobs(const std::vector<TokenInfo>& tokens, std::size_t& offset);
std::string sse(const Json& event);

}  // namespace heft::serve::openai

namespace heft::serve {

Parameters openai_embedding_parameters();
void openai_embeddings(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);

}  // namespace heft::serve
