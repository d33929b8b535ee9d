// The tokenizer's files of a folder, for a GGUF file that did not bring them: tokenizer.json or
// RWKV's vocabulary, tokenizer_config.json, generation_config.json, and the template.
#pragma once

#include <vector>

#include "convert/folder_files.h"

namespace heft::convert {

// Empty where the file has no tokenizer. What is made is tried: it gives the same tokens as the
// file's own. Errors: unsupported, for kinds of which no such file can be made, and where the trial
// fails.
Result<std::vector<SideFile>> tokenizer_files(const format::Checkpoint& gguf);

}  // namespace heft::convert
