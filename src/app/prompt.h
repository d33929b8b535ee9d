// From what a user says to token ids.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "engine/engine.h"

namespace heft::app {

nlohmann::ordered_json message(const std::string& role, const std::string& content);

// The variables that a template sees: the model's own, the messages, and that an answer is wanted.
Result<nlohmann::ordered_json> chat_variables(const engine::Engine& engine,
                                              const nlohmann::ordered_json& messages);

// A conversation through the model's chat template. Text of messages cannot become control tokens.
Result<std::vector<engine::TokenId>> chat_ids(const engine::Engine& engine,
                                              const nlohmann::ordered_json& messages);

}  // namespace heft::app
