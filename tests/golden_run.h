// A checkpoint in a folder or file, opened for tests, and the logits that it gives.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "format/checkpoint.h"
#include "golden_data.h"
#include "model/model.h"

namespace heft::testing {

struct Loaded {
    format::Checkpoint checkpoint;
    model::Model model;
};

// Whether the code has the family at all; checkpoints of others are for later.
bool known_family(const std::filesystem::path& folder);

// nullptr, and a failed test, where it does not open.
std::unique_ptr<Loaded> load(const std::filesystem::path& path);

// Feeds the prompt chunks[0], chunks[1] and so on tokens at a time, round and round, and returns
// the logits at the golden positions.
PagedVector<float> run(const Loaded& loaded, op::Context& context, const Golden& golden,
                       const std::vector<int>& chunks);

}  // namespace heft::testing
