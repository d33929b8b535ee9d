// What may be done with a model and what cannot, in short: for inspect and compare.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "app/release.h"
#include "govern/catalogue.h"

namespace heft::app {

// {"licence": {"ids", "found_by", "private_use": {"verdict", "clause", "missing"},
// "commercial_use", "redistribution"}, "openness": {"level", …, "cannot", "undetermined"}}.
Result<nlohmann::ordered_json> at_glance(const govern::Catalogue& catalogue, LocalRelease& local);

// The licence alone, of what is known by name only.
nlohmann::ordered_json licence_at_glance(const govern::Catalogue& catalogue,
                                         const govern::Identification& licence,
                                         const govern::Chain& chain);

// Sentences for people, of the two parts.
std::string spoken_licence(const nlohmann::ordered_json& licence);    // "llama3.1"
std::string spoken_verdict(const nlohmann::ordered_json& act);        // "unknown (asks mau_at)"
std::string spoken_openness(const nlohmann::ordered_json& openness);  // "1 of 3, open weights"
std::string spoken_limits(const nlohmann::ordered_json& openness);    // what cannot be done

}  // namespace heft::app
