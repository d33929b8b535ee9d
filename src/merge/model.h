// A model that goes into a merge: found, opened, and its tensors by the names that they have in
// Hugging Face files (or, where all models are GGUF files, in those), each with the layer that it
// belongs to. Movable; reading is thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "arch/arch.h"
#include "arch/tensors.h"
#include "format/checkpoint.h"
#include "merge/block.h"

namespace heft::merge {

// Whose names and layouts the merge works with.
enum class Layout : std::uint8_t { huggingface, gguf };

enum class Kind : std::uint8_t {
    in_layer,
    first,  // outside of the layers, before them: embeddings
    last,   // behind them: the last norm, the output matrix
};

struct ModelTensor {
    std::string name;
    std::string alias;  // the Hugging Face name, for filters, where `name` is a GGUF name
    Kind kind = Kind::last;
    int layer = -1;          // Kind::in_layer
    std::string in_layer;    // the name without the layer's number: "model.layers.{}.mlp.up…"
    bool is_buffer = false;  // masks, positions and the like: copied from the first model
    bool by_token = false;   // a matrix with a row for each token
    bool is_output = false;  // of those, the output matrix
    Shape shape;
    const TensorView* view = nullptr;
    // A GGUF tensor read as the Hugging Face one that it was made of:
    int interleaved_head = 0;    // rows of heads of this size stand as neighbouring pairs
    bool minus_one = false;      // GGUF stores 1 + weight
    std::int64_t first_row = 0;  // an expert's rows within the stack
};

struct Model {
    std::string reference;  // as the recipe has it
    std::filesystem::path path;
    std::unique_ptr<format::Checkpoint> checkpoint;
    std::optional<arch::Config> config;  // absent: of a family that heft does not know
    std::string architecture;            // model_type, or general.architecture
    int n_layers = 0;
    std::vector<ModelTensor> tensors;
    std::unordered_map<std::string, std::size_t> by_name;

    const ModelTensor* find(const std::string& name) const;
};

// Where models are looked for.
struct Places {
    std::filesystem::path beside;     // the recipe's folder
    std::filesystem::path models;     // --models, may be empty: DIR/org/name or DIR/name
    std::filesystem::path hub_cache;  // of huggingface_hub, may be empty
};
// $HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub or ~/.cache/huggingface/hub.
std::filesystem::path default_hub_cache();

// A path as it is, or beside the recipe; then as a repository's name in the folder of models and in
// the hub's cache. Errors: not_found, with the places.
Result<std::filesystem::path> find_model(const std::string& reference, const Places& places);

Result<Model> open_model(const std::string& reference, const std::filesystem::path& path);

// Lists the tensors. Errors: unsupported, for a GGUF file whose tensors cannot be told apart as a
// Hugging Face folder has them.
Status list_tensors(Model& model, Layout layout);

// Rows as `shape` counts them.
ReadRows reader_of(const ModelTensor& tensor);
// An input that reads all rows of the tensor.
Input input_of(const Model& model, const ModelTensor& tensor);

std::int64_t columns_of(const Shape& shape);
std::int64_t rows_of(const Shape& shape);

}  // namespace heft::merge
