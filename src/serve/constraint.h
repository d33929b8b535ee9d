// What keeps a reply to the form that was asked for.
#pragma once

#include "serve/request.h"

namespace heft::serve {

// Arms the engine's request for the form (JSON, a schema, a grammar, a tool that has to be called).
// What cannot be honoured is a failure that says why, never an unconstrained reply.
std::optional<Failure> constrain(const Request& request, const engine::Engine& engine,
                                 engine::Request& job);

}  // namespace heft::serve
