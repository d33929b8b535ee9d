// Finds the weight files behind a path that a person typed. Only names and first bytes are looked
// at; the files' contents are the readers' business.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heft::format {

enum class Kind { gguf, huggingface };

struct WeightFiles {
    Kind kind = Kind::gguf;
    std::filesystem::path folder;
    std::vector<std::filesystem::path> files;  // in order
    // Of a sharded Hugging Face checkpoint: its index's name, and (tensor, index into files) by
    // tensor name.
    std::string index_name;
    std::vector<std::pair<std::string, std::size_t>> index;
};

// Where a folder has weights in several formats, safetensors come first, then GGUF, then PyTorch.
// Errors: not_found (with a hint), unsupported (formats that are not read), invalid (several models
// to choose from), corrupt (a bad index). Each names the file.
Result<WeightFiles> find_weights(const std::filesystem::path& path);

}  // namespace heft::format
