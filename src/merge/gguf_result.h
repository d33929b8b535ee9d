// GGUF files of a merge. Internal to the module.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "merge/plan.h"
#include "merge/scan.h"

namespace heft::merge {

// Keys and what they say: heft.lineage, general.license.
using Texts = std::vector<std::pair<std::string, std::string>>;

// Of GGUF models: the first one's metadata, with what the merge changes about it.
Status write_gguf(const Plan& plan, const std::filesystem::path& path, std::optional<DType> type,
                  const Texts& texts, Scanner& scanner);

// What write_gguf would refuse, before anything is read.
Status check_gguf(const Plan& plan);

// Of a folder that a merge has made.
Status folder_to_gguf(const std::filesystem::path& folder, const std::filesystem::path& path,
                      std::optional<DType> type, const std::string& name, const Texts& texts);

}  // namespace heft::merge
