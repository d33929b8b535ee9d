// A model's files, opened: a GGUF file (or its splits), or a Hugging Face folder with weights in
// safetensors or PyTorch files. Mapped, not read; opening costs no memory but the names. Movable;
// safe to read from many threads.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "format/metadata.h"
#include "format/weight_files.h"
#include "tensor/tensor.h"

namespace heft::format {

class Checkpoint {
  public:
    // `path`: a folder (Hugging Face layout, or one holding a single GGUF model), a .gguf file (any
    // part of a split), or a .safetensors, .bin, .pt or .pth file beside its config.json.
    static Result<Checkpoint> open(const std::filesystem::path& path);

    // A GGUF file in memory that outlives the checkpoint: the embedded model.
    static Result<Checkpoint> from_gguf(Bytes bytes, std::string name);

    // A GGUF file's metadata, in memory, with tensors from elsewhere; both outlive the checkpoint.
    static Result<Checkpoint> assembled(Bytes gguf, std::vector<TensorView> tensors,
                                        std::string name);
    // The same of a Hugging Face folder that is in no file system: its texts by name, config.json
    // among them.
    using Texts = std::map<std::string, std::string, std::less<>>;
    static Result<Checkpoint> assembled(Texts files, std::vector<TensorView> tensors,
                                        std::string name);

    Kind kind() const { return kind_; }
    const std::string& name() const { return name_; }                           // for messages
    const std::vector<std::filesystem::path>& files() const { return files_; }  // weights, in order
    std::uint64_t file_bytes() const { return file_bytes_; }                    // of the weights
    const std::vector<MappedFile>& maps() const { return maps_; }  // of what was opened

    // Those of the model: weights that the files keep in parts are put together (format/packed/),
    // and are read through their `repack`, while this checkpoint lives.
    const std::vector<TensorView>& tensors() const { return tensors_; }
    const TensorView* find(std::string_view tensor) const;

    // GGUF: its key/value metadata (of the first part). Empty for Hugging Face.
    const Metadata& metadata() const { return metadata_; }

    // Hugging Face: config.json. Absent for GGUF.
    std::optional<JsonElement> config() const;

    // Hugging Face: another file of the folder, such as "tokenizer.json", mapped. Code::not_found
    // when there is none.
    Result<MappedFile> side_file(std::string_view name) const;
    const std::filesystem::path& folder() const { return folder_; }

  private:
    static Result<Checkpoint> open_gguf(const WeightFiles& weights);
    static Result<Checkpoint> open_huggingface(const WeightFiles& weights);
    Result<Bytes> map(const std::filesystem::path& file);
    Status set_config(const std::string& text, const std::string& from);
    Status unpack_tensors(const std::filesystem::path& folder);
    Status index_names();

    Kind kind_ = Kind::gguf;
    std::string name_;
    std::filesystem::path folder_;
    std::vector<std::filesystem::path> files_;
    std::vector<MappedFile> maps_;
    std::uint64_t file_bytes_ = 0;
    Metadata metadata_;
    std::optional<JsonDoc> config_;
    std::optional<Texts> texts_;  // in place of the folder's files
    std::vector<TensorView> tensors_;
    std::vector<std::size_t> by_name_;  // into tensors_, sorted by name
};

}  // namespace heft::format
