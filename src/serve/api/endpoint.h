// The endpoints of the dialects as tables: routes and docs/api.md are made from them.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "serve/api/heartbeat.h"
#include "serve/api/parameters.h"
#include "serve/api/response_store.h"
#include "serve/exchange.h"
#include "serve/service.h"

namespace heft::serve {

// What handlers share; lives as long as any of them may be called.
struct Api {
    Api(Service& s, std::unique_ptr<ResponseStore> r) : service(s), responses(std::move(r)) {}
    Service& service;
    Heartbeat heartbeat;
    const std::unique_ptr<ResponseStore> responses;
};

struct Endpoint {
    std::string_view method, pattern;
    std::string_view what;  // for docs/api.md
    void (*handle)(Api& api, const HttpRequest& http, std::shared_ptr<Responder> responder);
    Parameters parameters = {};  // of the body
    Unknown unknown = Unknown::refused;
    bool open = false;  // needs no key
};

using Endpoints = std::span<const Endpoint>;

struct Dialect {
    std::string_view name;
    Endpoints endpoints;
    std::string (*say)(const Failure& failure, const HttpRequest& http);  // the body of an error
};

Endpoints openai_endpoints();
Endpoints response_endpoints();  // OpenAI's too
Endpoints anthropic_endpoints();
Endpoints ollama_endpoints();
Endpoints llama_endpoints();

std::string say_openai(const Failure& failure, const HttpRequest& http);
std::string say_anthropic(const Failure& failure, const HttpRequest& http);
std::string say_ollama(const Failure& failure, const HttpRequest& http);
std::string say_llama(const Failure& failure, const HttpRequest& http);

std::span<const Dialect> dialects();
const Dialect& dialect_of(std::string_view path);

void send_json(Responder& responder, const Json& body);
// One line. Text that is not UTF-8 cannot make it fail.
std::string dumped(const Json& json);

// {"degraded": […], "timings": …}: heft's own part of a reply, the same in every dialect.
struct Answer;
Json heft_part(const Answer& answer);

}  // namespace heft::serve
