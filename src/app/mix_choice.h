// A mix that is searched for rather than named: heft quantize --target-size and --target-kl.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/yardstick.h"
#include "shape/quantise.h"

namespace heft::app {

struct MixTarget {
    std::optional<std::uint64_t> bytes;  // of the whole file, at most
    std::optional<double> kl;            // on the yardstick's text, at most
};

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct ChosenMix {
    const shape::MixInfo* mix = nullptr;     // the nearest that has a name, for file_type
    std::vector<shape::Override> overrides;  // one for each matrix
    nlohmann::ordered_json record;           // groups, their types, and what was measured
};

struct MixChoosing {
    const shape::QuantiseOptions& given;  // overrides that are not searched, importances
    std::uint64_t overhead;               // bytes of the file that are no tensors
    ThreadPool& pool;
    FileProgress& line;
};

// Errors: invalid where no mix will do; those of measuring; cancelled.
Result<ChosenMix> choose_mix(const shape::GgufModel& model, const MixTarget& target,
                             const Yardstick& yardstick, const MixChoosing& choosing);

// What of a file is no tensor's bytes, at most, with a record of so many bytes.
Result<std::uint64_t> overhead_bytes(const shape::GgufModel& model, std::uint64_t record);

}  // namespace heft::app
