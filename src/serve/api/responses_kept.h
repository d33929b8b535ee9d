// What can be done with a response that was kept.
#pragma once

#include <memory>
#include <string>

#include "serve/api/endpoint.h"

namespace heft::serve::responses {

Failure no_response(const std::string& id, FailureKind kind);

void show(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
void list_input(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);
void erase(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out);

}  // namespace heft::serve::responses
