// model.safetensors.index.json, and its like for PyTorch: which shard of a Hugging Face checkpoint
// holds which tensor.
#pragma once

#include <filesystem>
#include <string_view>

#include "format/weight_files.h"

namespace heft::format {

// Reads `file` and fills `out.files` (sorted) and `out.index` (sorted by tensor). Shards must be
// plain file names that end in `extension`: they stay inside the folder.
Status read_shard_index(const std::filesystem::path& file, std::string_view extension,
                        WeightFiles& out);

}  // namespace heft::format
