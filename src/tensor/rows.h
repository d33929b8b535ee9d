// A tensor's rows as floats, however the file keeps them: the one way to read a weight that needs
// no kernel. For converting, merging and tests; computing takes the stored bytes.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace heft {

// Rows and columns of a view as read_rows counts them: rows over all outer dimensions; of a vector,
// one row; of a scalar, one number.
std::int64_t columns_of(const TensorView& view);
std::int64_t rows_of(const TensorView& view);

// The stored bytes of rows first … first + count - 1, whether mapped or repacked; `to` holds
// count * row_bytes(view.type, columns_of(view)).
void read_stored_rows(const TensorView& view, std::int64_t first, std::int64_t count,
                      std::byte* to);

// The same rows as float32, every column at its input's place: to[r * columns + k]. Thread-safe.
// The view's type must have a codec.
void read_rows(const TensorView& view, std::int64_t first, std::int64_t count, float* to);

}  // namespace heft
