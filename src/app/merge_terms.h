// On whose terms a merge may be made, and the record of what it is made of.
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/use_flags.h"
#include "base/sha256.h"
#include "govern/duties_folder.h"
#include "govern/gate.h"
#include "merge/plan.h"

namespace heft::app {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct MergeTerms {
    govern::GateOutcome outcome;
    std::vector<govern::LicenceCopy> copies;  // of the models' licences and notices
};

// Asks the gate about all models of the plan. `name` is what the result will be called.
Result<MergeTerms> terms_of(const govern::Catalogue& catalogue, const merge::Plan& plan,
                            const std::string& name, const UseFlags& flags, bool accept_terms);

// The record of lineage (schema heft.lineage/1): the inputs by their hashes, the recipe, the seed,
// terms and duties. Reads all files of all inputs.
Result<nlohmann::ordered_json> lineage_of(const merge::Plan& plan, const MergeTerms& terms,
                                          std::uint64_t seed, const HashProgress& progress);

}  // namespace heft::app
