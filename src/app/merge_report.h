// What `heft merge` says of a plan.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/merge_terms.h"
#include "merge/plan.h"
#include "shape/quantise.h"

namespace heft::app {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct MergeFigures {
    std::string out;
    std::uint64_t seed = 0;
    std::uint64_t bytes = 0;   // of the tensors
    std::uint64_t memory = 0;  // bytes, at most
    double seconds = 0;        // estimated, or taken
    bool is_done = false;
    std::vector<std::filesystem::path> files;  // where it is done
    nlohmann::ordered_json lineage;
    const shape::MixInfo* mix = nullptr;          // of a GGUF file; none: as merged
    const shape::QuantisePlan* stored = nullptr;  // of a GGUF file
};

// A heft.merge/1 document; where it is not done, with every tensor.
nlohmann::ordered_json merge_document(const merge::Plan& plan, const MergeTerms& terms,
                                      const MergeFigures& figures);

// The same for people.
std::string merge_report(const merge::Plan& plan, const MergeTerms& terms,
                         const MergeFigures& figures);

}  // namespace heft::app
