// From a GGUF file to the tensors of a Hugging Face folder, by the family's tensor table: names,
// parts, orders and sums as such folders have them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "convert/overlay.h"
#include "convert/weight.h"
#include "format/checkpoint.h"
#include "format/tensor_source.h"

namespace heft::convert {

struct FolderWeight {
    Weight weight;
    DType type = DType::f32;  // that it is to be stored as; MXFP4 as pairs of two tensors
};

struct FolderTensors {
    std::vector<FolderWeight> weights;
    std::vector<std::string>
        missing;              // noted by the file's maker, and not in it: encoders, buffers
    bool was_packed = false;  // some were kept in parts and are plain now
};

// `matrices`: the type of all matrices; absent: as they were before the file was made, or as they
// are stored, quantised ones in F16. Vectors are as they were, or F32. A file that heft made of a
// folder gives the folder's tensors, in their order and under their names; another's the family's.
// The checkpoint and the overlay must stay. Errors: unsupported, where a tensor of the family
// cannot be made.
Result<FolderTensors> folder_tensors(const format::Checkpoint& gguf, const arch::Config& config,
                                     std::optional<DType> matrices, const Overlay& overlay = {});

// The same of a folder: its tensors as they are, in another type.
FolderTensors same_tensors(const format::Checkpoint& folder, std::optional<DType> matrices,
                           const Overlay& overlay = {});

// An MXFP4 weight named "X_blocks" as safetensors files have it: that and "X_scales". `progress`:
// called with weights done, for both; false: stop.
using Advance = std::function<bool(std::uint64_t weights)>;
std::vector<format::TensorSource> mxfp4_pair(const Weight& weight, const Advance& progress);

}  // namespace heft::convert
