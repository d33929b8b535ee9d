#include "kv/shape.h"

#include <string>

#include "base/check.h"

namespace heft::kv {

namespace {

std::int64_t row_bytes(DType type, int numbers) {
    const DTypeInfo& info = dtype_info(type);
    return (std::int64_t{numbers} + info.block - 1) / info.block * info.block_bytes;
}

}  // namespace

const char* name_of(DType type) {
    for (const TypeName& known : kTypeNames)
        if (known.type == type) return known.name;
    return "?";
}

std::string degradation(const Types& types) {
    if (!types.quantised()) return {};
    return std::string("KV cache quantised: keys ") + name_of(types.keys) + ", values "
           + name_of(types.values);
}

std::int64_t Shape::key_row_bytes() const {
    return row_bytes(types.keys, key_row);
}

std::int64_t Shape::value_row_bytes() const {
    return row_bytes(types.values, value_row);
}

Result<Pages> reserve(const Shape& shape, std::int64_t n_blocks) {
    HEFT_CHECK(shape.n_layer > 0 && shape.n_ctx > 0 && shape.key_row > 0 && n_blocks > 0);
    HEFT_CHECK(shape.key_row % dtype_info(shape.types.keys).block == 0
               && shape.value_row % dtype_info(shape.types.values).block == 0);
    std::size_t bytes = 0;
    if (!__builtin_mul_overflow(shape.block_bytes(), n_blocks, &bytes))
        if (auto pages = Pages::reserve(bytes)) return pages;
    return Error{Code::exhausted, "a context of " + std::to_string(shape.n_ctx)
                                      + " tokens does not fit into memory; ask for a shorter one"};
}

}  // namespace heft::kv
