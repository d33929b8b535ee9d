// The JSON of a request's body: hostile, so depth, numbers and text are checked while it is read,
// in time and memory in proportion to its length.
#pragma once

#include <string_view>

#include "serve/request.h"

namespace heft::serve {

// Of members with the same name, all are kept. Errors are sentences about "the body".
Result<Json> body_json(std::string_view body);

}  // namespace heft::serve
