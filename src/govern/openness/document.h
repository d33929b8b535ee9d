// The heft.openness/1 document: a release and where it stands (docs/openness.md).
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "govern/openness/judge.h"

namespace heft::openness {

// `model`: what was asked about, as it was written.
nlohmann::ordered_json openness_document(const std::string& model, const Release& release,
                                         const Openness& found);

// Why a part does not count yet: "not released", "licence \"X\" is not open" …
std::string why_not(const Release& release, const MofPart& part);

}  // namespace heft::openness
