// Writing a GGUF file, or its parts, with a record of lineage that says what they hold: that is
// known when all is written, before it has its name.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/making.h"
#include "format/gguf_writer.h"

namespace heft::app {

struct Recorded {
    Granted& granted;  // its record gets its "contents" and, with a key, its "signature"
    FileProgress& line;
    std::vector<std::filesystem::path> inputs = {};  // which are never written over
};

// What is found out about a file that is complete: the record's "difference". Errors but
// Code::cancelled are for the record, too, and stop nothing.
using Measuring = std::function<Result<nlohmann::ordered_json>(Bytes file)>;

// OUT, or its parts; tells their paths. `measure` may be empty, and is for one file only.
Result<std::vector<std::filesystem::path>> write_recorded(format::GgufWriter& writer,
                                                          const Recorded& recorded,
                                                          const MakingFlags& making,
                                                          const Measuring& measure = {});

}  // namespace heft::app
