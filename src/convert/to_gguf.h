// From a checkpoint's own layout to a GGUF file, by the family's tensor table. Memory stays within
// one row of one matrix; the file appears whole or not at all.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arch/arch.h"
#include "convert/overlay.h"
#include "convert/weight.h"
#include "format/checkpoint.h"
#include "format/gguf_writer.h"
#include "text/tokenizer.h"

namespace heft::convert {

struct GgufOptions {
    std::optional<DType> matrices;  // absent: as stored; norms and biases are always F32
    std::string name;               // general.name
    std::string chat_template;      // empty: none
    // general.sampling.*: what the model's makers propose; NaN-free numbers by key ("temp").
    std::vector<std::pair<std::string, float>> sampling;
    std::vector<std::pair<std::string, std::string>> texts;  // further keys: "general.license"
};

// The metadata: configuration, tokenizer (may be null), and what the options say.
Status set_model(format::GgufWriter& writer, const arch::Config& config,
                 const text::Tokenizer* tokenizer, const GgufOptions& options);

// The tensors of a GGUF file made of a checkpoint in another layout, in its order: fused and split,
// turned and interleaved as such files have them. The checkpoint and the overlay must stay.
Result<std::vector<Weight>> gguf_weights(const format::Checkpoint& checkpoint,
                                         const arch::Config& config, const Overlay& overlay = {});

// `tokenizer` may be null: a file without one. A matrix whose rows are not whole blocks of the
// wanted type is stored as F16. Errors: what GGUF cannot say of this model; a type without encoder.
Status to_gguf(const format::Checkpoint& checkpoint, const arch::Config& config,
               const text::Tokenizer* tokenizer, const GgufOptions& options,
               const std::filesystem::path& path);

}  // namespace heft::convert
