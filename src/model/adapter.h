// LoRA adapters: low-rank changes of a model's weights, read and fitted to the checkpoint that they
// are to change. Nothing is computed here: whoever multiplies adds scale * B (A x) to W x.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "arch/arch.h"
#include "format/checkpoint.h"

namespace heft::model {

// W changes by scale * B A, where W is [out, in] as it multiplies. A matrix that a checkpoint
// stores as [in, out] is meant as turned; rows of B are in the order of the checkpoint's.
struct LowRank {
    std::string tensor;  // of the checkpoint, by its own name there
    std::int64_t out = 0;
    std::int64_t in = 0;
    std::int64_t rank = 0;
    float scale = 1;       // alpha / rank, or as the adapter says, times the user's wish
    std::vector<float> a;  // [rank, in]
    std::vector<float> b;  // [out, rank]
};

struct Adapter {
    std::string name;              // for messages
    std::vector<LowRank> changes;  // sorted by tensor

    // nullptr: the adapter leaves the tensor alone.
    const LowRank* find(std::string_view tensor) const;
};

// Reads the adapter at `path` (a PEFT folder or a GGUF file, whatever form the base has). Errors:
// invalid (made for another base: the sentence names the tensor and both shapes), unsupported,
// corrupt, not_found. Memory: the adapter's weights as float.
Result<Adapter> load_adapter(const std::filesystem::path& path, const format::Checkpoint& base,
                             const arch::Config& config, float user_scale = 1);

}  // namespace heft::model
