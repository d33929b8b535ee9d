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

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kKinds = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";

// Tokens that have no row in the result.
std::uint64_t n_beyond(const Plan& plan, const format::Metadata& metadata) {
    const format::MetaValue* tokens = metadata.find(kTokens);
    const auto rows = static_cast<std::uint64_t>(std::max<std::int64_t>(plan.vocabulary.n_rows, 0));
    return tokens != nullptr && rows > 0 && tokens->count > rows ? tokens->count - rows : 0;
}

// Whether the last so many stand for nothing: they pad the table.
bool are_padding(const format::Metadata& metadata, std::uint64_t n) {
    constexpr std::int64_t kUnused = 5;
    const std::vector<std::int64_t> kinds = metadata.integers(kKinds);
    return kinds.size() >= n
           && std::all_of(kinds.end() - static_cast<std::ptrdiff_t>(n), kinds.end(),
                          [](std::int64_t kind) { return kind == kUnused; });
}

template <class T, class Items>
std::vector<T> without_last(const Items& items, std::uint64_t n) {
    return {items.begin(), items.end() - static_cast<std::ptrdiff_t>(n)};
}

void leave_out_last(std::uint64_t n, const format::Metadata& metadata, format::GgufWriter& writer) {
    if (n == 0) return;
    writer.set_strings(kTokens, without_last<std::string>(metadata.strings(kTokens), n));
    const auto kinds = without_last<std::int32_t>(metadata.integers(kKinds), n);
    writer.set_array<std::int32_t>(kKinds, std::span<const std::int32_t>(kinds));
    const std::vector<float> scores = metadata.floats(kScores);
    if (scores.size() < n) return;
    const auto kept = without_last<float>(scores, n);
    writer.set_array<float>(kScores, std::span<const float>(kept));
}

Status check(const Plan& plan) {
    const Model& first = plan.models.front();
    const format::Metadata& metadata = first.checkpoint->metadata();
    if (plan.vocabulary.is_changed || !plan.vocabulary.added.empty())
        return Error{
            Code::unsupported,
            "vocabularies of GGUF files are not joined; merge the Hugging Face folders, or "
            "leave the tokenizer out of the recipe"};
    if (!are_padding(metadata, n_beyond(plan, metadata)))
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
    const format::Metadata& metadata = first.checkpoint->metadata();
    leave_out_last(n_beyond(plan, metadata), metadata, writer);
    const std::string vocab_size = first.architecture + ".vocab_size";
    if (plan.vocabulary.n_rows > 0 && metadata.find(vocab_size) != nullptr)
        writer.set(vocab_size, static_cast<std::uint32_t>(plan.vocabulary.n_rows));
    writer.set_string("general.name", name);
    writer.set(first.architecture + ".block_count", static_cast<std::uint32_t>(plan.layers.size()));
    HEFT_TRY(const auto chosen, chosen_template(plan));
    if (chosen) writer.set_string("tokenizer.chat_template", *chosen);
    return writer.to_memory();
}

}  // namespace heft::merge
