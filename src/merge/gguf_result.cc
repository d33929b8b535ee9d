#include "merge/gguf_result.h"

#include <algorithm>

#include "arch/proposal.h"
#include "convert/to_gguf.h"
#include "format/gguf_writer.h"
#include "merge/chat_templates.h"
#include "merge/weights.h"
#include "text/template_source.h"
#include "text/tokenizer.h"

namespace heft::merge {

namespace {

// What describes the first model and not the result.
bool is_dropped(std::string_view key) {
    return key == "general.file_type" || key == "general.quantization_version"
           || key == "general.name" || key == "heft.lineage" || key.starts_with("quantize.")
           || key.starts_with("general.license");
}

DType type_in_file(const PlannedTensor& tensor, std::optional<DType> type) {
    if (!type || tensor.shape.size() < 2) return tensor.type;
    return columns_of(tensor.shape) % dtype_info(*type).block == 0 ? *type : DType::f16;
}

}  // namespace

Status check_gguf(const Plan& plan) {
    const Model& first = plan.models.front();
    const format::Metadata& metadata = first.checkpoint->metadata();
    if (plan.vocabulary.is_changed || !plan.vocabulary.added.empty())
        return Error{
            Code::unsupported,
            "vocabularies of GGUF files are not joined; merge the Hugging Face folders, or "
            "leave the tokenizer out of the recipe"};
    const format::MetaValue* tokens = metadata.find("tokenizer.ggml.tokens");
    if (tokens != nullptr && plan.vocabulary.n_rows > 0
        && tokens->count > static_cast<std::uint64_t>(plan.vocabulary.n_rows))
        return Error{Code::unsupported, first.reference + ": its vocabulary has tokens that another "
                                                          "model has no embeddings for"};
    if (static_cast<int>(plan.layers.size()) == first.n_layers) return {};
    for (const format::MetaEntry& entry : metadata.entries())
        if (entry.key.starts_with(first.architecture + ".")
            && entry.value.type == format::MetaType::array
            && entry.value.count == static_cast<std::uint64_t>(first.n_layers))
            return Error{Code::unsupported,
                         first.reference + ": " + std::string(entry.key)
                             + " is a list by layer, which cannot follow another number of layers"};
    return {};
}

Status write_gguf(const Plan& plan, const std::filesystem::path& path, std::optional<DType> type,
                  const Texts& texts, Scanner& scanner) {
    HEFT_OK(check_gguf(plan));
    format::GgufWriter writer;
    const Model& first = plan.models.front();
    for (const format::MetaEntry& entry : first.checkpoint->metadata().entries())
        if (!is_dropped(entry.key)) writer.copy(entry);
    writer.set_string("general.name", path.stem().string());
    writer.set(first.architecture + ".block_count", static_cast<std::uint32_t>(plan.layers.size()));
    HEFT_TRY(const auto chosen, chosen_template(plan));
    if (chosen) writer.set_string("tokenizer.chat_template", *chosen);
    for (const auto& [key, value] : texts) writer.set_string(key, value);
    for (const PlannedTensor& tensor : plan.tensors)
        writer.add(source_for(plan, tensor, type_in_file(tensor, type), scanner));
    return writer.write(path);
}

Status folder_to_gguf(const std::filesystem::path& folder, const std::filesystem::path& path,
                      std::optional<DType> type, const std::string& name, const Texts& texts) {
    HEFT_TRY(const format::Checkpoint checkpoint, format::Checkpoint::open(folder));
    HEFT_TRY(const arch::Config config, arch::read_config(checkpoint));
    const auto tokenizer = text::Tokenizer::load(checkpoint);
    convert::GgufOptions options;
    options.matrices = type;
    options.name = name;
    options.sampling = arch::proposed_sampling(checkpoint);
    if (auto source = text::template_source(checkpoint)) options.chat_template = std::move(*source);
    options.texts = texts;
    return convert::to_gguf(checkpoint, config, tokenizer ? &*tokenizer : nullptr, options, path);
}

}  // namespace heft::merge
