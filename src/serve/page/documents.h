// What the page asks for besides the APIs: the models with what is known of them, and what they are
// doing now.
#pragma once

#include <nlohmann/json.hpp>

#include "serve/exchange.h"
#include "serve/models.h"

namespace heft::serve {

// heft.models/1
nlohmann::ordered_json models_document(const Models& models);

// heft.live/1. Slots are those of the caller's own answers, or all of them with their owners.
nlohmann::ordered_json live_document(const Models& models, const Caller& caller, bool all_slots);

}  // namespace heft::serve
