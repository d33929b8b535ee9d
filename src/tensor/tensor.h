// A tensor as a file holds it: a name, a type, a shape, bytes that somebody else owns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tensor/dtype.h"

namespace heft {

// Outermost dimension first, as Hugging Face writes it: a weight of a linear layer is
// [out_features, in_features], and rows are contiguous. (GGUF stores the reverse; its reader turns
// it round.)
using Shape = std::vector<std::int64_t>;

struct TensorView {
    std::string name;
    DType type = DType::f32;
    Shape shape;
    Bytes data;  // exactly the tensor's bytes; not necessarily aligned
};

// Bytes of one row of `columns` weights, or an error if columns is not a whole number of blocks.
Result<std::uint64_t> row_bytes(DType type, std::uint64_t columns);

// Bytes of a whole tensor; every product is checked against overflow.
Result<std::uint64_t> tensor_bytes(DType type, const Shape& shape);

std::string shape_text(const Shape& shape);  // "[4096, 1024]"

}  // namespace heft
