#include "kv/cache.h"

#include <utility>

#include "base/check.h"
#include "kv/store.h"

namespace heft::kv {

Cache::Cache(const Shape& shape)
    : shape_(shape), key_bytes_(shape.key_row_bytes()), value_bytes_(shape.value_row_bytes()) {}

Result<Cache> Cache::make(const Shape& shape) {
    Cache cache(shape);
    HEFT_TRY(cache.memory_, reserve(shape, shape.n_blocks()));
    std::byte* at = cache.memory_.data();
    for (std::int64_t i = 0; i < shape.n_blocks(); ++i, at += shape.block_bytes())
        cache.blocks_.push_back(at);
    return cache;
}

Cache::Cache(Cache&& other) noexcept
    : basis(other.basis),
      shape_(other.shape_),
      key_bytes_(other.key_bytes_),
      value_bytes_(other.value_bytes_),
      length_(std::exchange(other.length_, 0)),
      blocks_(std::move(other.blocks_)),
      memory_(std::move(other.memory_)),
      store_(std::exchange(other.store_, nullptr)),
      held_(std::move(other.held_)) {}

Cache& Cache::operator=(Cache&& other) noexcept {
    std::swap(basis, other.basis);
    std::swap(shape_, other.shape_);
    std::swap(key_bytes_, other.key_bytes_);
    std::swap(value_bytes_, other.value_bytes_);
    std::swap(length_, other.length_);
    std::swap(blocks_, other.blocks_);
    std::swap(memory_, other.memory_);
    std::swap(store_, other.store_);
    std::swap(held_, other.held_);
    return *this;
}

Cache::~Cache() {
    if (store_ != nullptr) store_->shorten(*this, 0);
}

void Cache::set_length(std::int64_t length) {
    HEFT_CHECK(length >= 0 && length <= shape_.n_ctx);
    if (store_ != nullptr && length < length_) store_->shorten(*this, length);
    length_ = length;
}

bool Cache::make_room(std::int64_t length) {
    return store_ == nullptr || store_->make_room(*this, length);
}

std::int64_t Cache::find(std::span<const std::int32_t> text) {
    if (store_ != nullptr) store_->find(*this, text);
    return length_;
}

void Cache::keep(std::span<const std::int32_t> text) {
    if (store_ != nullptr) store_->keep(*this, text);
}

void Cache::keep_all(std::span<const std::int32_t> text) {
    if (store_ != nullptr) store_->keep_all(*this, text);
}

}  // namespace heft::kv
