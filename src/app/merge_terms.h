// On whose terms a merge may be made, and the record of what it is made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/use_flags.h"
#include "govern/duties_folder.h"
#include "govern/passport.h"
#include "merge/plan.h"

namespace heft::app {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct MergeTerms {
    govern::GateOutcome outcome;
    std::vector<govern::LicenceCopy> copies;  // of the models' licences and notices
    // What govern::passport() makes the record of.
    std::vector<govern::Source> sources;
    govern::Making making;
};

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct MergeAsked {
    std::string name;  // what the result will be called
    std::uint64_t seed = 0;
    nlohmann::ordered_json options;  // beside the recipe, what decides the result
    const UseFlags& use;
    bool accept_terms = false;
};

// Asks the gate about all models of the plan. Hashes nothing yet.
Result<MergeTerms> terms_of(const govern::Catalogue& catalogue, const merge::Plan& plan,
                            const MergeAsked& asked);

}  // namespace heft::app
