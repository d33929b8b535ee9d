// A model's licence in three answers, for lists and comparisons where nobody has described a use.
#pragma once

#include "govern/lineage.h"

namespace heft::govern {

struct Glance {
    Verdict private_use = Verdict::unknown_need_input;     // a person, for themselves
    Verdict commercial_use = Verdict::unknown_need_input;  // unknown where a threshold decides
    Verdict redistribution = Verdict::unknown_need_input;  // unchanged copies
};

// With the terms of what the model was made from, as far as `chain` has them (lineage.h).
Glance glance(const Catalogue& catalogue, const Chain& chain);

}  // namespace heft::govern
