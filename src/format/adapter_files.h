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

namespace heft::format {

// A matrix of a pair, maybe stored the other way round.
struct StoredMatrix {
    TensorView view;
    bool turned = false;

    std::int64_t rows() const { return view.shape[turned ? 1 : 0]; }
    std::int64_t cols() const { return view.shape[turned ? 0 : 1]; }
};

// As floats, row by row. Errors: unsupported types.
Result<std::vector<float>> values_of(const StoredMatrix& matrix);

// The weight [out, in] changes by scale * b a.
struct LowRankPair {
    std::string tensor;         // the weight, in the adapter's own naming
    std::optional<int> expert;  // which matrix of a stack, where the adapter has them as one
    StoredMatrix a;             // [rank, in]
    StoredMatrix b;             // [out, rank]
    double scale = 1;
    double alpha = 1;  // scale times rank
};

// Owns the mapped files that the pairs point into; movable.
struct AdapterFiles {
    Kind kind = Kind::huggingface;    // whose names
    std::string base;                 // the model it was made for; may be empty
    std::string architecture;         // GGUF: general.architecture
    std::filesystem::path folder;     // PEFT
    std::vector<TensorView> tensors;  // as they are stored, in their order
    std::vector<LowRankPair> pairs;   // both of rank 2, of one rank, no extent 0

    std::vector<MappedFile> maps = {};
    std::optional<Checkpoint> gguf = {};
};

inline constexpr const char* kAdapterConfig = "adapter_config.json";
inline constexpr const char* kAdapterWeights = "adapter_model.safetensors";

// The files that hold its weights.
std::vector<std::filesystem::path> files_of(const AdapterFiles& adapter);

// PEFT's name of a half of a pair.
struct PeftName {
    std::string weight;  // "model.layers.0.self_attn.q_proj.weight"
    bool first = false;
    bool embedding = false;  // a table [rank, n_vocab], and [d_model, rank]
};
std::optional<PeftName> parse_peft_name(std::string_view tensor);
std::string peft_name(const PeftName& name);

// Whether the path names an adapter, by what stands there: nothing is said of its being whole.
bool is_adapter(const std::filesystem::path& path);
// The same of an opened GGUF file.
bool is_adapter(const Metadata& metadata);

// `path`: the folder, its .safetensors file, or the GGUF file. Errors name the file; kinds of
// adapters that are not plain LoRA are Code::unsupported.
Result<AdapterFiles> open_adapter_files(const std::filesystem::path& path);
// Of a GGUF file that is open already.
Result<AdapterFiles> adapter_files(Checkpoint gguf);

}  // namespace heft::format
