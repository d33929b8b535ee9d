#include "serve/api/routes.h"

#include <algorithm>
#include <cmath>

#include "serve/answer.h"
#include "serve/api/endpoint.h"

namespace heft::serve {

std::span<const Dialect> dialects() {
    static const Dialect kDialects[] = {
        {"OpenAI", openai_endpoints(), say_openai},
        {"OpenAI", response_endpoints(), say_openai},
        {"Anthropic", anthropic_endpoints(), say_anthropic},
        {"Ollama", ollama_endpoints(), say_ollama},
        {"llama.cpp", llama_endpoints(), say_llama},
    };
    return kDialects;
}

const Dialect& dialect_of(std::string_view path) {
    for (const Dialect& dialect : dialects())
        for (const Endpoint& endpoint : dialect.endpoints)
            if (endpoint.pattern == path) return dialect;
    constexpr std::pair<std::string_view, std::size_t> kPrefixes[] = {
        {"/v1/messages", 2}, {"/v1", 0}, {"/api/", 3}};
    for (const auto& [prefix, index] : kPrefixes)
        if (path.substr(0, prefix.size()) == prefix) return dialects()[index];
    return dialects().back();
}

std::vector<Route> api_routes(Service& service, std::unique_ptr<ResponseStore> responses) {
    if (responses == nullptr) responses = std::make_unique<ResponseStore>();
    const auto api = std::make_shared<Api>(service, std::move(responses));
    std::vector<Route> routes;
    for (const Dialect& dialect : dialects())
        for (const Endpoint& endpoint : dialect.endpoints)
            routes.push_back({std::string(endpoint.method), std::string(endpoint.pattern),
                              [api, handle = endpoint.handle](const HttpRequest& http,
                                                              std::shared_ptr<Responder> out) {
                                  handle(*api, http, std::move(out));
                              },
                              endpoint.open});
    return routes;
}

void refuse(const HttpRequest& request, Responder& responder, const Failure& failure) {
    Headers headers;
    if (failure.retry_after_s >= 0)
        headers.emplace_back(
            "retry-after",
            std::to_string(static_cast<int>(std::min(3600.0, std::ceil(failure.retry_after_s)))));
    responder.send(status_of(failure.kind), "application/json",
                   dialect_of(request.path).say(failure, request), std::move(headers));
}

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void send_json(Responder& responder, const Json& body) {
    responder.send(200, "application/json", dumped(body));
}

Json heft_part(const Answer& answer) {
    const int computed = answer.usage.n_prompt - answer.usage.n_cached;
    return {{"degraded", answer.degraded},
            {"seed", answer.seed},
            {"timings",
             {{"load_s", answer.load_s},
              {"prompt_s", answer.prompt_s},
              {"prompt_tokens_computed", computed},
              {"decode_s", answer.decode_s},
              {"first_token_s", answer.first_token_s},
              {"total_s", answer.total_s}}}};
}

}  // namespace heft::serve
