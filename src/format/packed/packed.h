// Hugging Face checkpoints whose weights are packed by a quantisation method of their own: their
// parts become the tensors that a model has. Layouts: docs/formats/packed.md.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tensor/tensor.h"

namespace heft::format {

// What is read, for lists.
struct PackedMethod {
    std::string_view name;  // quant_method of config.json
    std::string_view bits;  // of one weight, its scales aside
    std::string_view kinds;
};
std::vector<PackedMethod> packed_methods();

// Whether config.json says how its weights are packed.
bool declares_packing(JsonElement config);

// The tensors with every packed weight in place of its parts. Their `repack` reads the bytes of the
// parts, which must outlive it; nothing is unpacked here. `apart`: what a file of the method's own
// (quantize_config.json) says when config.json says nothing. Errors: unsupported (a method that
// heft does not read, by name), corrupt (a missing part, a wrong type or shape), each naming the
// tensor.
Result<std::vector<TensorView>> unpack(JsonElement config, std::optional<JsonElement> apart,
                                       std::vector<TensorView> tensors);

}  // namespace heft::format
