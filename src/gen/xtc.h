// XTC, "exclude top choices" (p-e-w 2024): now and then takes away all but the least of the likely
// tokens, so that the text leaves the beaten track without becoming incoherent.
#pragma once

#include <cstddef>

#include "base/rng.h"
#include "gen/candidates.h"

namespace heft::gen {

struct XtcOptions {
    float probability = 0.0F;  // how often the stage acts; 0 = never
    float threshold = 0.1F;    // likely = at least this probable; above 0.5 the stage is off

    bool active() const { return probability > 0 && threshold <= 0.5F; }
};

// Draws one number from rng if active. If it acts, removes every candidate with p >= threshold
// except the least probable of them, unless fewer than min_keep would be left.
void xtc(Candidates& list, const XtcOptions& options, std::size_t min_keep, Rng& rng);

}  // namespace heft::gen
