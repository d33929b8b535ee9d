// A LoRA adapter merged into the weights that it changes: W + scale * B A, rows made as they are
// asked for.
#pragma once

#include <optional>

#include "arch/arch.h"
#include "convert/overlay.h"
#include "format/checkpoint.h"
#include "model/adapter.h"

namespace heft::app {

// Adds the adapter to what the overlay has of the checkpoint already. Sums are of type `wanted`;
// absent: of the weight's where it is plain, else F16. All must live as long as the overlay is
// read. Errors: unsupported, where the output matrix is the embedding and only one of the two would
// change.
Status merge_adapter(const model::Adapter& adapter, const format::Checkpoint& checkpoint,
                     const arch::Config& config, std::optional<DType> wanted,
                     convert::Overlay& overlay);

}  // namespace heft::app
