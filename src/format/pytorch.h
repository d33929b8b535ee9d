// Reader of PyTorch checkpoints (.bin, .pt, .pth): a zip archive with a pickle that names tensors
// and one stored entry for each storage. Source: torch.serialization (files since PyTorch 1.6);
// notes in docs/formats/packed.md. Nothing of a file is ever executed: format/pickle.h.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "tensor/tensor.h"

namespace heft::format {

// Views into `bytes`, which must outlive them; tensors that are not contiguous are read through
// their `repack`. Errors: unsupported (older formats, what the pickle reader refuses, tensors that
// repeat numbers), corrupt.
Result<std::vector<TensorView>> parse_pytorch(Bytes bytes);

}  // namespace heft::format
