// What keeps a reply to the form that was asked for.
#pragma once

#include "serve/request.h"

namespace heft::serve {

// Arms the engine's request, whose prompt is there, for the form: JSON, a schema, a grammar, tool
// calls that have to be made, or have to be valid if they are made. What cannot be honoured is a
// failure that says why, never an unconstrained reply; but calls that may be made, of tools that
// nobody called strict, are then only read, and `degraded` says so.
std::optional<Failure> constrain(const Request& request, const engine::Engine& engine,
                                 engine::Request& job, std::vector<std::string>& degraded);

}  // namespace heft::serve
