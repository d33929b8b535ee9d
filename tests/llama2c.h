// Test helper: a llama2.c checkpoint (version 0 .bin and its tokenizer .bin) as a Hugging Face
// folder. Layouts: karpathy/llama2.c, export.py and tokenizer.py.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace heft::testing {

Status convert_llama2c(const std::filesystem::path& model, const std::filesystem::path& tokenizer,
                       const std::filesystem::path& folder);

}  // namespace heft::testing
