// What a plain scalar means by YAML 1.2's core schema (yaml.org/spec/1.2.2, 10.3.2).
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace heft::format {

// null, a boolean, an integer that fits 64 bits, a finite real number, or the text itself.
nlohmann::ordered_json yaml_scalar(const std::string& text);

}  // namespace heft::format
