// Writing a new model with its record of lineage, which says how far the model is from its parent:
// that is measured when the file is complete, before it has its name.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/making.h"
#include "app/yardstick.h"

namespace heft::app {

struct MeasureFlags {
    bool none = false;
    std::string why_none = "--no-measure";
    std::string text;  // empty: the built-in one
};

// --no-measure and --text.
void add_measure_flags(CLI::App& verb, MeasureFlags& flags);

struct NewModel {
    std::string parent;  // what the person typed
    const format::Checkpoint& from;
    std::uint64_t bytes;  // of the tensors
    Granted& granted;     // its record gets its "difference", "contents" and "signature"
};

// Writes OUT, or its parts, and tells their paths. Where it cannot be measured, the record says
// why, and that is no error.
Result<std::vector<std::filesystem::path>> write_measured(format::GgufWriter& writer,
                                                          NewModel& model,
                                                          const MakingFlags& making,
                                                          const MeasureFlags& flags,
                                                          FileProgress& line);

}  // namespace heft::app
