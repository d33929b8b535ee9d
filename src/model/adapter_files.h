// The files of a LoRA adapter: pairs of low-rank matrices, as they are stored and named. Two forms:
// a PEFT folder (adapter_config.json and adapter_model.safetensors) and a GGUF file of type
// adapter.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "format/checkpoint.h"
#include "tensor/tensor.h"

namespace heft::model {

// A matrix of a pair, maybe stored the other way round.
struct StoredMatrix {
    TensorView view;
    bool turned = false;

    std::int64_t rows() const { return view.shape[turned ? 1 : 0]; }
    std::int64_t cols() const { return view.shape[turned ? 0 : 1]; }
};

// The weight [out, in] changes by scale * b a.
struct LowRankPair {
    std::string tensor;  // the weight, in the adapter's own naming
    StoredMatrix a;      // [rank, in]
    StoredMatrix b;      // [out, rank]
    double scale = 1;
};

// Owns the mapped files that the pairs point into; movable.
struct AdapterFiles {
    format::Kind kind = format::Kind::huggingface;  // whose names
    std::string base;                               // the model it was made for; may be empty
    std::string architecture;                       // GGUF: general.architecture
    std::vector<LowRankPair> pairs;                 // both of rank 2, of one rank, no extent 0

    std::vector<MappedFile> maps = {};
    std::optional<format::Checkpoint> gguf = {};
};

// `path`: the folder, its .safetensors file, or the GGUF file. Errors name the file; kinds of
// adapters that are not plain LoRA are Code::unsupported.
Result<AdapterFiles> open_adapter_files(const std::filesystem::path& path);

}  // namespace heft::model
