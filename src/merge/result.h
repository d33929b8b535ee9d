// Where the result of a merge goes: a Hugging Face folder, or a GGUF file where the name ends in
// .gguf. Under its own name it is complete or absent. While it is made it stands in a folder
// "NAME.partial" beside it; a merge that was stopped goes on there, if it is the same merge.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "govern/duties_folder.h"
#include "merge/plan.h"

namespace heft::merge {

struct Target {
    std::filesystem::path path;
    bool is_gguf = false;  // by the name
    std::filesystem::path partial() const;
};
Target target_of(const std::filesystem::path& path);

struct MakeOptions {
    int n_threads = 0;
    std::uint64_t max_ram = 0;  // bytes; 0: what is usual
    std::uint64_t shard_bytes = 5'000'000'000;
    std::optional<DType> type;  // of the matrices of a GGUF file; absent: as planned
    std::uint64_t seed = 0;
    bool replace = false;  // what is there under the name
    // Bytes of numbers read so far and in all; false: stop. May be empty.
    std::function<bool(std::uint64_t done, std::uint64_t total)> progress;
};

// What goes along with the weights.
struct Papers {
    std::string card;  // README.md
    // heft.json, or the GGUF file's heft.lineage; asked for when the weights are written.
    std::function<Result<std::string>()> lineage;
    govern::Assessment assessment;
    std::vector<govern::LicenceCopy> copies;
};

// Refuses what would be in the way: an output over an input or over something that exists (unless
// replaced), a disk without room, a type that is not written. Errors: invalid, exhausted,
// unsupported.
Status check_target(const Plan& plan, const Target& target, const MakeOptions& options);

// Whether an earlier attempt at the same merge left something to go on with.
bool can_go_on(const Plan& plan, const Target& target, const MakeOptions& options);

// Cancelled, what is done stays for the next attempt; after another error nothing is left behind.
Status make(const Plan& plan, const Target& target, const Papers& papers,
            const MakeOptions& options);

}  // namespace heft::merge
