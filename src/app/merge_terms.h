// On whose terms a merge may be made, and the record of what it is made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/use_flags.h"
#include "base/sha256.h"
#include "govern/duties_folder.h"
#include "govern/passport.h"
#include "merge/plan.h"

namespace heft::app {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct MergeTerms {
    govern::GateOutcome outcome;
    std::vector<govern::LicenceCopy> copies;  // of the models' licences and notices
    // What the record is made of.
    std::vector<govern::Source> sources;
    govern::Making making;
};

// Asks the gate about all models of the plan. `name` is what the result will be called. Hashes
// nothing yet.
Result<MergeTerms> terms_of(const govern::Catalogue& catalogue, const merge::Plan& plan,
                            const std::string& name, std::uint64_t seed, const UseFlags& flags,
                            bool accept_terms);

// The record of lineage (govern/passport.h). Reads all files of all inputs.
Result<nlohmann::ordered_json> lineage_of(const govern::Catalogue& catalogue,
                                          const MergeTerms& terms, const HashProgress& progress);

}  // namespace heft::app
