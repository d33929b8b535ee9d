// What is known of a release, as one self-contained HTML page: the licence card, where it stands
// between closed and open, its components. No scripts, nothing fetched.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "govern/openness/judge.h"

namespace heft::app {

// `model`: what was asked about, as it was written. `licence`: a heft.license/1 document, or null.
// `release` and `found`: both or neither.
std::string release_page(const std::string& model, const nlohmann::ordered_json& licence,
                         const openness::Release* release, const openness::Openness* found);

}  // namespace heft::app
