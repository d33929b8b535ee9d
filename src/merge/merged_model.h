// The result of a merge as a checkpoint like any other, only that its matrices are made row by row
// as they are read: what converts, quantises and writes checkpoints does so with it, in one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "convert/overlay.h"
#include "format/checkpoint.h"
#include "merge/merged_rows.h"
#include "merge/plan.h"
#include "merge/side_files.h"

namespace heft::merge {

struct MergedModel {
    format::Checkpoint checkpoint;
    std::vector<SideFile> files;  // Layout::huggingface
    // What the checkpoint refers to: metadata in GGUF's layout, and vectors, which are small and
    // were made at once.
    std::vector<std::byte> metadata;
    std::vector<std::vector<std::byte>> vectors;
};

// `name`: what the result will be called. Plan, pool and the model itself must stay as long as the
// checkpoint is read; movable. Errors: unsupported, where vocabularies, layers or architecture
// cannot be written down; those of the methods.
Result<MergedModel> merged_model(const Plan& plan, const std::string& name, const Means& means);

// Of a Hugging Face layout, what a GGUF file is made of by columns or number by number: made whole
// when its turn comes. Of most families, nothing. The checkpoint must stay, and be read through the
// overlay, one tensor of the GGUF file after the other.
struct Held {
    convert::Overlay overlay;
    std::uint64_t bytes = 0;  // that it takes
};
Result<Held> hold_columns(const format::Checkpoint& merged, ThreadPool& pool);

}  // namespace heft::merge
