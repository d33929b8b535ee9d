// A model as a Hugging Face folder has it: tensors, and the files beside them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convert/to_folder.h"
#include "format/checkpoint.h"

namespace heft::convert {

struct SideFile {
    std::string name, text;
};

struct FolderModel {
    FolderTensors tensors;
    std::vector<SideFile> files;                // configuration, tokenizer, template, terms
    std::string weights = "model.safetensors";  // the file's name
    bool may_be_parts = true;                   // rather than one file, where it is large
};

// Of a folder, in another type or other parts; or of a GGUF file: as it brought the files from its
// own folder, else made of its metadata. `matrices` as for folder_tensors(). The checkpoint
// and the overlay must stay. Errors: unsupported, where the metadata do not suffice.
Result<FolderModel> folder_model(const format::Checkpoint& checkpoint,
                                 std::optional<DType> matrices, const Overlay& overlay = {});

// "bfloat16", as config.json names types of weights.
std::string_view torch_name(DType type);

}  // namespace heft::convert
