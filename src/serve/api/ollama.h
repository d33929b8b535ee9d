// Pieces that Ollama's endpoints share.
#pragma once

#include <chrono>
#include <string>

#include "serve/api/endpoint.h"

namespace heft::serve::ollama {

std::string time_text(std::chrono::system_clock::time_point when);  // RFC 3339
std::int64_t nanoseconds(double seconds);
Json details(const ModelInfo& info);

// The rows of "options".
std::optional<Failure> take_options(const Json& value, Draft& draft);
Parameters option_rows();

void tags(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
void ps(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
void show(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
Parameters show_parameters();
void version(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
void alive(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
void embed_many(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
void embed_one(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
Parameters embed_parameters();
Parameters embed_one_parameters();

}  // namespace heft::serve::ollama
