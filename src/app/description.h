// Everything that heft inspect tells about a model, as the heft.inspect/1 document.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/engine.h"

namespace heft::app {

// `tensors`: list every one of them, not only the count of each type.
nlohmann::ordered_json describe(const engine::Engine& engine, bool tensors);

}  // namespace heft::app
