// The page at "/": files that need no key, may do nothing but talk to this server, and are framed
// by nobody.
#pragma once

#include <vector>

#include "serve/exchange.h"

namespace heft::serve {

std::vector<Route> page_routes();

}  // namespace heft::serve
