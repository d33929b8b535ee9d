// Writer of safetensors files: one file, or shards with their index. Tensors come from producers,
// one after the other; files appear whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "format/tensor_source.h"

namespace heft::format {

class SafetensorsWriter {
  public:
    void set(std::string key, std::string value);  // of __metadata__
    void add(TensorSource tensor) { tensors_.push_back(std::move(tensor)); }

    // Tensors are stored in the order of adding, wide types first, so that each is aligned to its
    // type. Errors: invalid (names, shapes, types that safetensors has not), and those of the disk
    // and the producers. `hashes` (may be nullptr) of what is written resumably has those of all
    // tensors then.
    Status write(const std::filesystem::path& path, Writing how = Writing::at_once,
                 TensorHashes* hashes = nullptr) const;
    Result<std::vector<std::byte>> to_memory() const;

    // Writes model-00001-of-0000N.safetensors … and model.safetensors.index.json into the folder,
    // each shard with at most max_bytes of tensors (or one tensor).
    Status write_sharded(const std::filesystem::path& folder, std::uint64_t max_bytes,
                         Writing how = Writing::at_once, TensorHashes* hashes = nullptr) const;
    Result<std::uint64_t> tensor_bytes_in_all() const;

  private:
    struct Item {
        const TensorSource* tensor = nullptr;
        std::uint64_t bytes = 0;
    };

    Result<std::vector<Item>> check() const;
    // Sorts the items into the order of the file; its first bytes.
    std::string header(std::vector<Item>& items) const;
    Status emit(std::vector<Item> items, const ByteSink& out) const;
    Status write_items(const std::filesystem::path& path, std::vector<Item> items, Writing how,
                       TensorHashes* hashes) const;

    std::vector<std::pair<std::string, std::string>> metadata_;
    std::vector<TensorSource> tensors_;
};

}  // namespace heft::format
