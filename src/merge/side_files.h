// What stands beside the weights of a merged folder: configuration, tokenizer, chat template.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "convert/folder_files.h"
#include "merge/plan.h"

namespace heft::merge {

using convert::SideFile;

// config.json, generation_config.json, and the tokenizer's files, with what the merge changes about
// them. Errors: unsupported, where no model of the merge is a Hugging Face folder to take them
// from, or its tokenizer cannot be given other tokens.
Result<std::vector<SideFile>> side_files(const Plan& plan);

}  // namespace heft::merge
