// What a merge of GGUF files says of itself. Internal to the module.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "merge/plan.h"

namespace heft::merge {

// The first model's metadata, with what the merge changes about it, as a GGUF file without tensors.
// Errors: unsupported, where they cannot say it.
Result<std::vector<std::byte>> gguf_metadata(const Plan& plan, const std::string& name);

}  // namespace heft::merge
