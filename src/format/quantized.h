// Hugging Face checkpoints whose tensors are packed by a quantisation method of their own.
#pragma once

#include <vector>

#include "base/json.h"
#include "tensor/tensor.h"

namespace heft::format {

// Refuses, by name, the methods whose packing heft does not read: GPTQ, AWQ, bitsandbytes, FP8 with
// scales, compressed-tensors and so on, as config.json declares them or the tensors' names show
// them. Plain FP8 weights without scales pass, and MXFP4, which names its tensors *_blocks.
Status refuse_quantized(JsonElement config, const std::vector<TensorView>& tensors);

}  // namespace heft::format
