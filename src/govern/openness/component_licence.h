// The licence of a component, from what the texts and declarations of a release were found to be.
#pragma once

#include <functional>
#include <string>

#include "govern/identify.h"
#include "govern/openness/tables.h"

namespace heft::openness {

struct FoundLicence {
    std::string name;  // an SPDX id where there is one; empty: none found
    Terms terms = Terms::unknown;
};

using LicenceOf = std::function<FoundLicence(const ComponentKind& kind)>;

// What governs the release; for code, the licence of its own where there is one. Of several
// licences that may hold, the terms are those of the least open; of a text that was
// changed, and of what is only hinted at, nobody knows whether it is open. `found` must outlive the
// answer.
LicenceOf identified_licence(const govern::Identification& found);

// For the release's weights.
FoundLicence weights_licence(const govern::Identification& found);

}  // namespace heft::openness
