// model.safetensors.index.json: which shard of a Hugging Face checkpoint holds which tensor.
#pragma once

#include <filesystem>

#include "format/weight_files.h"

namespace heft::format {

// Reads `file` and fills `out.files` (sorted) and `out.index` (sorted by tensor). Shards must be
// plain file names: they stay inside the folder.
Status read_shard_index(const std::filesystem::path& file, WeightFiles& out);

}  // namespace heft::format
