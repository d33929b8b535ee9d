#include "kv/shape.h"

#include <utility>

#include <sys/mman.h>

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

Result<Memory> Memory::reserve(const Shape& shape, std::int64_t n_blocks) {
    HEFT_CHECK(shape.n_layer > 0 && shape.n_ctx > 0 && shape.key_row > 0 && n_blocks > 0);
    HEFT_CHECK(shape.key_row % dtype_info(shape.types.keys).block == 0
               && shape.value_row % dtype_info(shape.types.values).block == 0);
    std::size_t bytes = 0;
    const bool overflow = __builtin_mul_overflow(shape.block_bytes(), n_blocks, &bytes);
    void* at = MAP_FAILED;
    if (!overflow)
        at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return Error{Code::exhausted,
                     "a context of " + std::to_string(shape.n_ctx)
                         + " tokens does not fit into memory; ask for a shorter one"};
    Memory memory;
    memory.data_ = static_cast<std::byte*>(at);
    memory.bytes_ = bytes;
    return memory;
}

Memory::Memory(Memory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Memory& Memory::operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

Memory::~Memory() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace heft::kv
