// What a request to /v1/responses says.
#pragma once

#include "serve/api/parameters.h"

namespace heft::serve::responses {

Parameters parameters();

}  // namespace heft::serve::responses
