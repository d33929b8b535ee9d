// What every verb that writes a model asks first: may this be made of these, and what has to be
// kept with it. The record goes into the artefact (GGUF metadata, a file beside it).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "govern/lineage.h"

namespace heft::govern {

struct Parent {
    Identification model;
    std::string relation;  // "itself" (convert, quantize), "adapter", "base model", "merged",
                           // "teacher", "data"
    std::filesystem::path folder;  // where its bases may stand beside it; may be empty
};

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct GateOutcome {
    bool may_proceed = false;
    bool may_be_accepted = false;  // where not: whether --accept-terms would let it
    std::string why;               // one sentence: what stands in the way, or what was accepted
    Assessment assessment;
    nlohmann::ordered_json record;  // schema heft.lineage/1
};

// `verb` is for the record: "quantize". `use` is the person's, if they told one; making a model is
// added to it as `modify`. What is allowed proceeds. What is forbidden does not. What is unknown,
// or under review, or asks for a separate licence or another name, is a person's to decide:
// `accept_terms`.
GateOutcome gate(const Catalogue& catalogue, const std::string& verb,
                 const std::vector<Parent>& parents, Use use, bool accept_terms);

}  // namespace heft::govern
