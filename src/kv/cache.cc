#include "kv/cache.h"

#include <algorithm>
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

Result<Cache> Cache::make(const Shape& shape) {
    HEFT_CHECK(shape.n_layer > 0 && shape.n_ctx > 0 && shape.key_row > 0);
    HEFT_CHECK(shape.key_row % dtype_info(shape.types.keys).block == 0
               && shape.value_row % dtype_info(shape.types.values).block == 0);
    Cache cache;
    cache.shape_ = shape;
    cache.key_bytes_ = shape.key_row_bytes();
    cache.value_bytes_ = shape.value_row_bytes();
    std::size_t bytes = 0;
    bool overflow =
        __builtin_mul_overflow(cache.key_bytes_ + cache.value_bytes_, shape.n_ctx, &bytes);
    overflow = overflow || __builtin_mul_overflow(bytes, shape.n_layer, &bytes);
    void* at = MAP_FAILED;
    // Address space only: pages come with the first write, so a long context costs what is used.
    if (!overflow)
        at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return Error{Code::exhausted,
                     "a context of " + std::to_string(shape.n_ctx)
                         + " tokens does not fit into memory; ask for a shorter one"};
    cache.base_ = static_cast<std::byte*>(at);
    cache.bytes_ = bytes;
    return cache;
}

Cache::Cache(Cache&& other) noexcept
    : long_context(other.long_context),
      shape_(other.shape_),
      key_bytes_(other.key_bytes_),
      value_bytes_(other.value_bytes_),
      length_(other.length_),
      base_(std::exchange(other.base_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Cache& Cache::operator=(Cache&& other) noexcept {
    std::swap(long_context, other.long_context);
    std::swap(shape_, other.shape_);
    std::swap(key_bytes_, other.key_bytes_);
    std::swap(value_bytes_, other.value_bytes_);
    std::swap(length_, other.length_);
    std::swap(base_, other.base_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

Cache::~Cache() {
    if (base_ != nullptr) ::munmap(base_, bytes_);
}

void Cache::set_length(std::int64_t length) {
    HEFT_CHECK(length >= 0 && length <= shape_.n_ctx);
    length_ = length;
}

std::byte* Cache::keys(int layer) const {
    return base_ + layer * (key_bytes_ + value_bytes_) * shape_.n_ctx;
}

std::byte* Cache::values(int layer) const {
    return shape_.value_row > 0 ? keys(layer) + key_bytes_ * shape_.n_ctx : keys(layer);
}

}  // namespace heft::kv
