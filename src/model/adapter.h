// LoRA adapters: low-rank changes of a model's weights, read and fitted to the checkpoint that they
// are to change. Nothing is computed here: whoever multiplies adds scale * B (A x) to W x.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "arch/tensors.h"

namespace heft::model {

// The matrix W [out, in] of a role changes by scale * B A. It is W as it multiplies, a part of its
// own where files keep several as one, with rows in the order that the checkpoint gives them.
struct LowRank {
    arch::Role role = arch::Role::token_embd;
    int layer = 0;       // 0 for what belongs to no layer
    int expert = 0;      // 0 for what belongs to no expert
    std::string tensor;  // the checkpoint's tensor that holds W, for messages
    std::int64_t out = 0;
    std::int64_t in = 0;
    std::int64_t rank = 0;
    float scale = 1;       // alpha / rank, or as the adapter says, times the user's wish
    std::vector<float> a;  // [rank, in]
    std::vector<float> b;  // [out, rank]
};

struct Adapter {
    std::string name;              // for messages
    std::vector<LowRank> changes;  // sorted by role, layer, expert; none twice

    // nullptr: the adapter leaves it alone.
    const LowRank* find(arch::Role role, int layer = 0, int expert = 0) const;
};

std::uint64_t bytes_of(const Adapter& adapter);  // of its matrices

// Reads the adapter at `path` (a PEFT folder or a GGUF file, whichever form the base has). Errors:
// invalid (made for another base: the sentence names the tensor and both shapes), unsupported,
// corrupt, not_found. Memory: the adapter's weights as float. Changes of an embedding are rows of
// its table: out is n_vocab, in d_model.
Result<Adapter> load_adapter(const std::filesystem::path& path, const format::Checkpoint& base,
                             const arch::Config& config, float user_scale = 1);

}  // namespace heft::model
