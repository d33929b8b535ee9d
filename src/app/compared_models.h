// Two models as wholes, for heft diff: how large they are, how far what they say is apart, how fast
// they are on this machine.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "app/file_progress.h"
#include "app/interrupt.h"
#include "format/checkpoint.h"

namespace heft::app {

struct ComparedModel {
    std::string reference;
    const format::Checkpoint& checkpoint;
};

// {"bytes":…,"parameters":…,"bits_per_weight":…}
nlohmann::ordered_json size_of(const format::Checkpoint& checkpoint);

// Adds "difference", as in records of lineage, of the second from the first, on a text (empty: the
// built-in one); and "speed": both models' tokens/s of prefill and decode, taken in turns. What
// cannot be measured says why, and that is no error. Errors: cancelled.
Status measure_both(const ComparedModel& first, const ComparedModel& second,
                    const std::string& text, int n_threads, const InterruptGuard& interrupt,
                    FileProgress& line, nlohmann::ordered_json& document);

// The same for people, line by line.
std::string comparison_text(const nlohmann::ordered_json& document);

}  // namespace heft::app
