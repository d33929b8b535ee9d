// A model's family as lines of text.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace heft::app {

// Of govern::family_of(): the model and how it was made, then what it was made of, each with its
// own below it. Nothing that a stranger wrote reaches the terminal as a control character.
std::vector<std::string> family_lines(const nlohmann::ordered_json& family);

}  // namespace heft::app
