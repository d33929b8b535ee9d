// What the files of a model hold, as hashes: the field `contents` of a record of lineage
// (docs/lineage.md). Every tensor, every key of the metadata and every file beside the weights is
// an item, written as one line; the digest is of all lines, sorted, so that it depends neither on
// the order in files, nor on padding, nor on how the tensors are spread over several of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/threads.h"
#include "format/metadata.h"
#include "format/tensor_hashes.h"
#include "format/weight_files.h"

namespace heft::govern {

class Contents {
  public:
    Status add(const format::HashedTensor& tensor);
    Status add_key(std::string_view name, std::string_view sha256);
    Status add_file(std::string_view name, std::string_view sha256);
    // All but what is the record's own (kLineageKey) and what says how the file is laid out
    // ("general.alignment", "split.*").
    Status add(const format::Metadata& metadata);

    // The field: `sha256` of all lines; how many `tensors` and `keys`; `files` by name, where there
    // are any; `marks`, the first eight digits of each line's own hash, in the order of the lines,
    // so that what has changed can be named. Many thousands of items have no marks.
    Result<nlohmann::ordered_json> field() const;
    // As long as the field of so many tensors and keys will be.
    static nlohmann::ordered_json placeholder(std::size_t n_tensors, std::size_t n_keys);

    // How these differ from what a field says, a sentence each; empty: not at all. The field may be
    // a stranger's.
    struct Change {
        std::string of;    // the tensor, key or file; empty where none can be named
        std::string what;  // "has other numbers, ..."
        bool matters = true;
    };
    Result<std::vector<Change>> changes_from(const nlohmann::ordered_json& field) const;

    std::size_t n_tensors() const { return count(Kind::tensor); }
    std::size_t n_keys() const { return count(Kind::key); }

  private:
    enum class Kind : std::uint8_t { tensor, key, file };
    struct Item {
        Kind kind = Kind::tensor;
        std::string name, line, mark;
        std::string sha256;  // of a file
    };

    Status add(Kind kind, std::string_view name, nlohmann::ordered_json line,
               std::string_view sha256);
    std::size_t count(Kind kind) const;
    using Items = std::vector<const Item*>;
    Items sorted() const;  // each line once
    static Result<std::string> digest(const Items& items);
    // The items but files that the field does not have.
    Items compare_files(const nlohmann::ordered_json& field, std::vector<Change>& changes) const;
    void compare_marks(const nlohmann::ordered_json& field, const Items& items,
                       std::vector<Change>& changes) const;
    static const char* name_of(Kind kind);

    std::vector<Item> items_;
};

// Told the bytes hashed and to hash; false: stop. May be empty.
using ContentsProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

// Of a GGUF file (the first part, of several) whose tensors' hashes are known.
Result<Contents> contents_of_gguf(Bytes file, const std::vector<format::HashedTensor>& tensors);

// Of GGUF or safetensors files, and of a Hugging Face folder's other files.
// Tensors that are not among the `known` ones are read and hashed. Errors: those of the files;
// cancelled.
Result<Contents> contents_of(const format::WeightFiles& weights,
                             const std::vector<format::HashedTensor>& known, ThreadPool& pool,
                             const ContentsProgress& progress);

}  // namespace heft::govern
