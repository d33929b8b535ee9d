// The model card of a merge: front matter that hubs read, then what it was made of and how.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "govern/lineage.h"
#include "merge/plan.h"

namespace heft::merge {

// `name`: the result's. The licence is the parents' where it is one, else "other", with the names
// of all. Deterministic.
std::string model_card(const Plan& plan, const std::string& name,
                       const govern::Assessment& assessment);

}  // namespace heft::merge
