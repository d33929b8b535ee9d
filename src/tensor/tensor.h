// A tensor as a file holds it: a name, a type, a shape, bytes that somebody else owns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tensor/dtype.h"

namespace heft {

// Outermost dimension first, as Hugging Face writes it: a weight of a linear layer is
// [out_features, in_features], and rows are contiguous. (GGUF stores the reverse; its reader turns
// it round.)
using Shape = std::vector<std::int64_t>;

// Rows that the file keeps in another layout, or that are computed from other tensors; written on
// demand in the layout of the view's type. Rows are counted over all outer dimensions. Thread-safe;
// reads mapped files, which must live.
class Repack {
  public:
    Repack() = default;
    Repack(const Repack&) = delete;
    Repack& operator=(const Repack&) = delete;
    virtual ~Repack() = default;

    // Rows first … first + count - 1, end to end; each of row_bytes(type, columns) bytes.
    virtual void rows(std::int64_t first, std::int64_t count, std::byte* to) const = 0;

    // Told of so many numbers read since the last call; false: stop.
    using Advance = std::function<bool(std::uint64_t numbers)>;
    // What has to be known of all rows before the first can be computed. Whoever reads a tensor
    // that is being made calls it once before, from one thread. Errors: cancelled, and where the
    // rows cannot be computed.
    virtual Status prepare(const Advance& advance) const {
        (void)advance;
        return {};
    }
    virtual std::uint64_t preparation() const { return 0; }  // numbers that prepare() reads
};

struct TensorView {
    std::string name;
    DType type = DType::f32;
    Shape shape;
    Bytes data;  // exactly the tensor's bytes; not necessarily aligned. Empty with `repack`.
    // Shared by the copies of a view. nullptr: `data` holds the rows.
    std::shared_ptr<const Repack> repack = {};
    // Column k of the rows belongs to input (*input_order)[k], a permutation; nullptr: to input k.
    // Shared by the matrices that have the same order, which may be told by the pointer.
    std::shared_ptr<const std::vector<std::int32_t>> input_order = {};
};

// Bytes of one row of `columns` weights, or an error if columns is not a whole number of blocks.
Result<std::uint64_t> row_bytes(DType type, std::uint64_t columns);

// Bytes of a whole tensor; every product is checked against overflow.
Result<std::uint64_t> tensor_bytes(DType type, const Shape& shape);

std::string shape_text(const Shape& shape);  // "[4096, 1024]"

}  // namespace heft
