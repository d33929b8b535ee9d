// What `heft merge` says of a plan.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "app/merge_terms.h"
#include "merge/plan.h"

namespace heft::app {

struct MergeFigures {
    std::string out;
    std::uint64_t seed = 0;
    std::uint64_t memory = 0;  // bytes, at most
    double seconds = 0;        // of merging: estimated, or taken
    bool is_done = false, goes_on = false;
};

// A heft.merge/1 document; with every tensor where `tensors`.
nlohmann::ordered_json merge_document(const merge::Plan& plan, const MergeTerms& terms,
                                      const MergeFigures& figures, bool tensors);

// The same for people.
std::string merge_report(const merge::Plan& plan, const MergeTerms& terms,
                         const MergeFigures& figures);

}  // namespace heft::app
