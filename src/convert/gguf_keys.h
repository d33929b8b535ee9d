// The metadata of a GGUF file, from a configuration and a tokenizer.
#pragma once

#include "arch/arch.h"
#include "format/gguf_writer.h"
#include "text/tokenizer.h"

namespace heft::convert {

// Errors: unsupported, for what no GGUF key can express.
Status set_config(format::GgufWriter& writer, const arch::Config& config);
// `n_rows` of the embedding: so many tokens there are in the file, where the tokenizer has fewer.
Status set_tokenizer(format::GgufWriter& writer, const text::Tokenizer& tokenizer,
                     std::int64_t n_rows);

}  // namespace heft::convert
