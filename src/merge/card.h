// The model card of a merge: front matter that hubs read, then what it was made of and how.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "govern/lineage.h"
#include "merge/plan.h"

namespace heft::merge {

// The licence as a card declares it: the parents' where it is one, else "other" with the names of
// all
// ("unknown" where one of them is not known).
struct DeclaredLicence {
    std::string tag, name;  // name: where the tag does not say it
};
DeclaredLicence declared_licence(const govern::Assessment& assessment);

// `name`: the result's. Deterministic.
std::string model_card(const Plan& plan, const std::string& name,
                       const govern::Assessment& assessment);

}  // namespace heft::merge
