// The option --lora of verbs with a model: which adapters to apply, and how strongly.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace heft::app {

// May be given several times; each is PATH or PATH:SCALE.
void add_lora(CLI::App& verb, std::vector<std::string>& arguments);

struct LoraArgument {
    std::filesystem::path path;
    float scale = 1;
};

// What follows the last colon is a scale if it is a number, and the whole is no file's name.
Result<LoraArgument> parse_lora(const std::string& argument);

}  // namespace heft::app
