// What heft openness found, as one self-contained HTML page: no scripts, nothing fetched.
#pragma once

#include <string>

#include "govern/openness/judge.h"

namespace heft::openness {

std::string openness_page(const std::string& model, const Release& release, const Openness& found);

}  // namespace heft::openness
