// A simdjson document as a tree that owns what it holds: several times as fast as parsing into one,
// which is most of the time that a short command takes.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/json.h"

namespace heft::govern {

nlohmann::ordered_json tree_of(JsonElement element);

}  // namespace heft::govern
