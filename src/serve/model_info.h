// What a model's files say of it, for lists of models.
#pragma once

#include <string>

#include "engine/engine.h"
#include "serve/service.h"

namespace heft::serve {

// `engine` may be without weights.
ModelInfo model_info(const std::string& name, const engine::Engine& engine);

// Of an adapter that is applied beside the weights of `base`.
ModelInfo adapter_info(const ModelInfo& base, const engine::OpenOptions::Lora& adapter);

}  // namespace heft::serve
