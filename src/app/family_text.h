// A model's family as lines of text.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace heft::app {

// Of govern::family_of(): the model and how it was made, then what it was made of, each with its
// own below it. Nothing that a stranger wrote reaches the terminal as a control character.
std::vector<std::string> family_lines(const nlohmann::ordered_json& family);

// A name from a stranger's file, for a terminal: without control characters, 80 bytes at most; "?"
// where it is no text.
std::string printable_name(const nlohmann::ordered_json& text);

}  // namespace heft::app
