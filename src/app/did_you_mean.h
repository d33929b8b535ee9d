// The known word that an unknown one was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heft::app {

// The nearest by edit distance, if it is near; empty otherwise.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace heft::app
