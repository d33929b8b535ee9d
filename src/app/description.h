// Everything that heft inspect tells about a model, as the heft.inspect/1 document.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/engine.h"

namespace heft::app {

// `tensors`: list every one of them, not only the count of each type.
nlohmann::ordered_json describe(const engine::Engine& engine, bool tensors);

// Its parts "metadata", of a GGUF file, and "tensors".
nlohmann::ordered_json metadata_json(const format::Metadata& metadata);
nlohmann::ordered_json tensors_json(const std::vector<TensorView>& tensors, bool each);

}  // namespace heft::app
