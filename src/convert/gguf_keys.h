// The metadata of a GGUF file, from a configuration and a tokenizer.
#pragma once

#include "arch/arch.h"
#include "format/gguf_writer.h"
#include "text/tokenizer.h"

namespace heft::convert {

// Errors: unsupported, for what no GGUF key can express.
Status set_config(format::GgufWriter& writer, const arch::Config& config);
Status set_tokenizer(format::GgufWriter& writer, const text::Tokenizer& tokenizer);

}  // namespace heft::convert
