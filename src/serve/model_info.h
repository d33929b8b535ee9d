// What a model's files say of it, for lists of models.
#pragma once

#include <string>

#include "engine/engine.h"
#include "serve/service.h"

namespace heft::serve {

// `engine` may be without weights.
ModelInfo model_info(const std::string& name, const engine::Engine& engine);

}  // namespace heft::serve
