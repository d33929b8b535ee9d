// A model's licence in three answers, for lists and comparisons where nobody has described a use.
#pragma once

#include "govern/lineage.h"

namespace heft::govern {

// Of each the act that decides: its verdict, its clause, what is missing.
struct Glance {
    ActAnswer private_use;     // a person, for themselves
    ActAnswer commercial_use;  // unknown where a threshold decides
    ActAnswer redistribution;  // unchanged copies
};

// With the terms of what the model was made from, as far as `chain` has them (lineage.h).
Glance glance(const Catalogue& catalogue, const Chain& chain);

// What most people want to know of a licence: using a model commercially, changing it, handing it
// on, offering it as a service.
Use usual_use();

}  // namespace heft::govern
