// heft convert of a LoRA adapter: a PEFT folder into a GGUF file, and back.
#pragma once

#include <optional>

#include "app/convert.h"
#include "app/file_progress.h"
#include "base/threads.h"
#include "tensor/dtype.h"

namespace heft::app {

// The base is --base, or what the adapter says of it: in a GGUF file of heft's, or by a path that
// exists, from here or from beside the adapter.
Result<Converted> convert_adapter(const ConvertOptions& o, std::optional<DType> type,
                                  ThreadPool& pool, FileProgress& line);

}  // namespace heft::app
