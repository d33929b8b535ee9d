// Every endpoint of the APIs: OpenAI's, Anthropic's, Ollama's and llama.cpp's small ones, all
// translations of one request (serve/request.h) and one answer (serve/answer.h).
#pragma once

#include <memory>
#include <vector>

#include "serve/api/response_store.h"
#include "serve/exchange.h"
#include "serve/failure.h"
#include "serve/service.h"

namespace heft::serve {

// The service outlives the routes and whatever they are still answering. `responses`: where those
// are kept that are to be continued; nullptr: in memory.
std::vector<Route> api_routes(Service& service, std::unique_ptr<ResponseStore> responses);

// Says a failure in the words of the API that the path belongs to; for what is refused before a
// handler sees it: a missing key, a body that is too large, a path that nobody knows.
void refuse(const HttpRequest& request, Responder& responder, const Failure& failure);

}  // namespace heft::serve
