// The types that a new file's tensors get, as a person asks for them: a mix by name, other types
// for some, importances. Of the verbs that quantise.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shape/quantise.h"

namespace CLI {
class App;
}

namespace heft::app {

struct MixFlags {
    std::string type;  // empty: as the tensors are
    std::vector<std::string> overrides;
    std::string imatrix;
};

// --type, --tensor and --imatrix.
void add_mix_flags(CLI::App& verb, MixFlags& flags);

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct AskedMix {
    shape::QuantiseOptions options;
    nlohmann::ordered_json record;  // all of it, for the lineage; importances by their hash
    std::unique_ptr<const shape::Imatrix> imatrix;  // that the options point to
    std::string imatrix_file;
};
// Errors: invalid, naming what there is; those of the importances' file.
Result<AskedMix> asked_mix(const MixFlags& flags);

// Says of a file what it is quantised with, as llama.cpp does.
void set_mix(format::GgufWriter& writer, const AskedMix& mix);

}  // namespace heft::app
