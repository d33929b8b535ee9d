#include "tensor/tensor.h"

namespace heft {

namespace {

Error too_large(const Shape& shape) {
    return {Code::corrupt, "a tensor of shape " + shape_text(shape) + " is larger than any memory"};
}

}  // namespace

Result<std::uint64_t> row_bytes(DType type, std::uint64_t columns) {
    const DTypeInfo& info = dtype_info(type);
    const auto block = static_cast<std::uint64_t>(info.block);
    if (columns % block != 0)
        return Error{Code::corrupt, "a row of " + std::to_string(columns)
                                        + " weights is not a whole number of " + info.name
                                        + " blocks of " + std::to_string(block)};
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(columns / block, static_cast<std::uint64_t>(info.block_bytes),
                               &bytes))
        return Error{Code::corrupt,
                     "a row of " + std::to_string(columns) + " weights is larger than any memory"};
    return bytes;
}

Result<std::uint64_t> tensor_bytes(DType type, const Shape& shape) {
    std::int64_t elements = 1;  // of the non-empty extents: any partial product fits as well
    for (const std::int64_t extent : shape) {
        if (extent < 0)
            return Error{Code::corrupt,
                         "the shape " + shape_text(shape) + " has a negative extent"};
        if (__builtin_mul_overflow(elements, extent == 0 ? 1 : extent, &elements))
            return too_large(shape);
    }
    const std::uint64_t columns = shape.empty() ? 1 : static_cast<std::uint64_t>(shape.back());
    HEFT_TRY(std::uint64_t bytes, row_bytes(type, columns));
    for (std::size_t i = 0; i + 1 < shape.size(); ++i)
        if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(shape[i]), &bytes))
            return too_large(shape);
    return bytes;
}

std::string shape_text(const Shape& shape) {
    std::string text = "[";
    for (const std::int64_t extent : shape) {
        if (text.size() > 1) text += ", ";
        text += std::to_string(extent);
    }
    return text + "]";
}

}  // namespace heft
