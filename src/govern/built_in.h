// The catalogue that the program carries: JSON, made at build time from src/govern/licences/*.yaml
// and src/govern/data/*.yaml.
#pragma once

#include <string_view>

namespace heft::govern {

std::string_view built_in_catalogue();

}  // namespace heft::govern
