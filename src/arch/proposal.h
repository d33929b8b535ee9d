// How the makers of a model propose to sample from it: generation_config.json, or GGUF's
// general.sampling.* keys.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "format/checkpoint.h"

namespace heft::arch {

// Pairs of a GGUF key ("temp", "top_k" …, without general.sampling.) and its value, of those that
// are there. A broken generation_config.json proposes nothing.
std::vector<std::pair<std::string, float>> proposed_sampling(const format::Checkpoint& checkpoint);

}  // namespace heft::arch
