// docs/api.md, made from the endpoints' tables.
#pragma once

#include <string>

namespace heft::serve {

std::string api_document();

}  // namespace heft::serve
