// What the server's page says of a model: its licence and its openness.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "engine/engine.h"

namespace heft::app {

// As at_glance() has it, with sentences for people; {"error": …} where it cannot be told.
// `described`: the model, without its weights.
nlohmann::ordered_json model_card(const std::string& reference, engine::Engine described);

}  // namespace heft::app
