// What a GGUF file that heft makes of a Hugging Face folder says of that folder, so that the folder
// can be made again (decision 23): keys heft.source.*, which other programs pass over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arch/arch.h"
#include "format/adapter_files.h"
#include "format/checkpoint.h"
#include "format/gguf_writer.h"
#include "text/tokenizer.h"

namespace heft::convert {

// Files of a model's tokenizer and template, in any form.
inline constexpr std::string_view kTokenizerFiles[] = {"tokenizer.json",
                                                       "tokenizer_config.json",
                                                       "special_tokens_map.json",
                                                       "added_tokens.json",
                                                       "vocab.json",
                                                       "merges.txt",
                                                       "vocab.txt",
                                                       "tokenizer.model",
                                                       "tekken.json",
                                                       "tiktoken.model",
                                                       "qwen.tiktoken",
                                                       text::kRwkvVocabulary,
                                                       "chat_template.jinja",
                                                       "chat_template.json"};
// Those of sampling and terms.
inline constexpr std::string_view kOtherFiles[] = {
    "generation_config.json", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt",
    "USE_POLICY.md"};
// Those of an adapter that are carried; its tokenizer is the base's.
inline constexpr std::string_view kAdapterFiles[] = {
    "adapter_config.json", "README.md", "LICENSE",    "LICENSE.txt",
    "LICENSE.md",          "NOTICE",    "NOTICE.txt", "USE_POLICY.md"};
inline constexpr std::string_view kConfigFile = "config.json";

struct SourceTensor {
    std::string name;
    DType type = DType::f32;
};

// As a file has it; views into its metadata, which must stay.
class SourceNotes {
  public:
    explicit SourceNotes(const format::Metadata& metadata) : metadata_(&metadata) {}

    // In the order of the folder; empty where the file was not made of one, or says so wrongly.
    std::vector<SourceTensor> tensors() const;
    // Of a side file or a tensor whose numbers do not come back from what GGUF keeps. Empty: none.
    Bytes file(std::string_view name) const;
    Bytes exact(std::string_view tensor) const;

  private:
    const format::Metadata* metadata_;
};

// Writes them. The checkpoint is a Hugging Face folder.
Status note_source(format::GgufWriter& writer, const format::Checkpoint& checkpoint,
                   const arch::Config& config);

// The same of an adapter, a PEFT folder; `base`: the config.json of its base, or nothing.
Status note_adapter(format::GgufWriter& writer, const format::AdapterFiles& adapter,
                    std::string_view base);
// The bytes of a tensor that does not come back from what the file has of it.
void note_exact(format::GgufWriter& writer, const TensorView& view);

}  // namespace heft::convert
