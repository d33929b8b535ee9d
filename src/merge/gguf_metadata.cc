#include "merge/gguf_metadata.h"

#include <algorithm>

#include "format/gguf_writer.h"
#include "merge/chat_templates.h"

namespace heft::merge {

namespace {

// What describes the first model and not the result.
bool is_dropped(std::string_view key) {
    return key == "general.file_type" || key == "general.quantization_version"
           || key == "general.name" || key == "heft.lineage" || key.starts_with("quantize.")
           || key.starts_with("general.license");
}

Status check(const Plan& plan) {
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

}  // namespace

Result<std::vector<std::byte>> gguf_metadata(const Plan& plan, const std::string& name) {
    HEFT_OK(check(plan));
    format::GgufWriter writer;
    const Model& first = plan.models.front();
    for (const format::MetaEntry& entry : first.checkpoint->metadata().entries())
        if (!is_dropped(entry.key)) writer.copy(entry);
    writer.set_string("general.name", name);
    writer.set(first.architecture + ".block_count", static_cast<std::uint32_t>(plan.layers.size()));
    HEFT_TRY(const auto chosen, chosen_template(plan));
    if (chosen) writer.set_string("tokenizer.chat_template", *chosen);
    return writer.to_memory();
}

}  // namespace heft::merge
