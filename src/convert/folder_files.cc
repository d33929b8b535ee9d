#include "convert/folder_files.h"

#include <nlohmann/json.hpp>

#include "arch/config_document.h"
#include "base/json.h"
#include "base/json_text.h"
#include "convert/source_notes.h"
#include "convert/tokenizer_files.h"

namespace heft::convert {

namespace {

using Json = nlohmann::ordered_json;

void set_type(DType type, Json& config) {
    const char* key = config.contains("dtype") ? "dtype" : "torch_dtype";
    config[key] = torch_name(type);
    if (const auto inner = config.find("text_config"); inner != config.end() && inner->is_object())
        for (const char* named : {"dtype", "torch_dtype"})
            if (inner->contains(named)) (*inner)[named] = torch_name(type);
}

// Untouched where nothing changes.
Result<std::string> changed(std::string text, std::optional<DType> matrices, bool was_packed) {
    if (!matrices && !was_packed) return text;
    auto tree = parse_json_tree(text);
    if (!tree) return within("config.json", std::move(tree.error()));
    if (!tree->is_object()) return Error{Code::corrupt, "config.json is not a JSON object"};
    if (matrices) set_type(*matrices, *tree);
    if (was_packed) tree->erase("quantization_config");
    return json_file(*tree);
}

Result<std::vector<SideFile>> files_of_folder(const format::Checkpoint& checkpoint) {
    std::vector<SideFile> out;
    const auto take = [&](std::string_view name) -> Status {
        const auto file = checkpoint.side_file(name);
        if (file) out.push_back({std::string(name), std::string(as_text(file->bytes()))});
        if (file || file.error().code == Code::not_found) return {};
        return file.error();
    };
    HEFT_OK(take(kConfigFile));
    if (out.empty())
        return Error{Code::not_found,
                     checkpoint.name() + ": has no config.json beside its weights"};
    for (const std::string_view name : kTokenizerFiles) HEFT_OK(take(name));
    for (const std::string_view name : kOtherFiles) HEFT_OK(take(name));
    return out;
}

std::vector<SideFile> noted_files(const SourceNotes& notes) {
    std::vector<SideFile> out;
    const auto take = [&](std::string_view name) {
        const Bytes bytes = notes.file(name);
        if (!bytes.empty()) out.push_back({std::string(name), std::string(as_text(bytes))});
    };
    take(kConfigFile);
    if (out.empty()) return out;
    for (const std::string_view name : kTokenizerFiles) take(name);
    for (const std::string_view name : kOtherFiles) take(name);
    return out;
}

// Of a GGUF file that brought none.
Result<FolderModel> model_of_metadata(const format::Checkpoint& gguf, std::optional<DType> matrices,
                                      const Overlay& overlay) {
    FolderModel out;
    HEFT_TRY(arch::ConfigDocument made, arch::config_document(gguf));
    HEFT_TRY(out.tensors, folder_tensors(gguf, made.config, matrices, overlay));
    for (const FolderWeight& one : out.tensors.weights)
        if (one.weight.matrix) {
            set_type(one.type, made.document);
            break;
        }
    HEFT_TRY(out.files, tokenizer_files(gguf));
    out.files.insert(out.files.begin(), {std::string(kConfigFile), json_file(made.document)});
    return out;
}

Result<FolderModel> model_of(const format::Checkpoint& checkpoint, std::optional<DType> matrices,
                             const Overlay& overlay) {
    FolderModel out;
    if (checkpoint.kind() != format::Kind::gguf) {
        out.tensors = same_tensors(checkpoint, matrices, overlay);
        HEFT_TRY(out.files, files_of_folder(checkpoint));
    } else {
        out.files = noted_files(SourceNotes(checkpoint.metadata()));
        if (out.files.empty()) return model_of_metadata(checkpoint, matrices, overlay);
        HEFT_TRY(const arch::Config config,
                 arch::read_config_document(checkpoint, out.files.front().text));
        HEFT_TRY(out.tensors, folder_tensors(checkpoint, config, matrices, overlay));
    }
    HEFT_TRY(out.files.front().text,
             changed(std::move(out.files.front().text), matrices, out.tensors.was_packed));
    return out;
}

}  // namespace

Result<FolderModel> folder_model(const format::Checkpoint& checkpoint,
                                 std::optional<DType> matrices, const Overlay& overlay) {
    auto out = model_of(checkpoint, matrices, overlay);
    if (!out) return within(checkpoint.name(), std::move(out.error()));
    return out;
}

std::string_view torch_name(DType type) {
    switch (type) {
        case DType::f32: return "float32";
        case DType::f16: return "float16";
        default: return "bfloat16";
    }
}

}  // namespace heft::convert
