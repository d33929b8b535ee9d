// Keys and values of one sequence, for every layer: a row of each per position, in blocks
// (kv/shape.h). The blocks are the cache's own, or those of a store (kv/store.h) that several
// caches share. Not thread-safe; different positions may be written by different threads.
#pragma once

#include <compare>
#include <span>
#include <vector>

#include "kv/shape.h"

namespace heft::kv {

class Store;
struct KnownBlock;

// What keys and values depend on besides the tokens: texts that differ in it have none in common.
struct Basis {
    bool long_context = false;                       // which rope factors the sequence settled on
    int adapter = 0;                                 // of the model's; 0: none
    auto operator<=>(const Basis&) const = default;  // NOLINT(modernize-use-nullptr)
};

class Cache {
  public:
    // With blocks of its own for the whole context: address space until they are used.
    static Result<Cache> make(const Shape& shape);

    Cache(Cache&& other) noexcept;
    Cache& operator=(Cache&& other) noexcept;
    ~Cache();

    const Shape& shape() const { return shape_; }
    std::int64_t key_row_bytes() const { return key_bytes_; }
    std::int64_t value_row_bytes() const { return has_values() ? value_bytes_ : key_bytes_; }
    std::int64_t length() const { return length_; }
    void set_length(std::int64_t length);  // shorter: forgets the tail

    // Where the blocks are, in order; and where a layer's keys or values begin in each.
    const std::byte* const* blocks() const { return blocks_.data(); }
    std::int64_t key_offset(int layer) const {
        return layer * (key_bytes_ + value_bytes_) * kBlock;
    }
    std::int64_t value_offset(int layer) const {
        return key_offset(layer) + (has_values() ? key_bytes_ * kBlock : 0);
    }

    // A layer's row of a position. Rows follow each other within a block.
    std::byte* key(int layer, std::int64_t position) const {
        return block_of(position) + key_offset(layer) + position % kBlock * key_bytes_;
    }
    std::byte* value(int layer, std::int64_t position) const {
        return block_of(position) + value_offset(layer) + position % kBlock * value_row_bytes();
    }

    // For a cache of a store; see there. A cache of its own has room for its whole context, finds
    // nothing and keeps nothing.
    bool make_room(std::int64_t length);
    std::int64_t find(std::span<const std::int32_t> text);
    void keep(std::span<const std::int32_t> text);
    void keep_all(std::span<const std::int32_t> text);

    Basis basis = {};

  private:
    friend class Store;

    struct Held {
        std::int32_t block;
        KnownBlock* node;  // what the store knows it as; nullptr: it is nobody else's
    };

    explicit Cache(const Shape& shape);
    bool has_values() const { return shape_.value_row > 0; }
    std::byte* block_of(std::int64_t position) const {
        return blocks_[static_cast<std::size_t>(position / kBlock)];
    }

    Shape shape_;
    std::int64_t key_bytes_ = 0;
    std::int64_t value_bytes_ = 0;
    std::int64_t length_ = 0;
    std::vector<std::byte*> blocks_;
    Pages memory_;            // of blocks of its own
    Store* store_ = nullptr;  // that the blocks are of
    std::vector<Held> held_;  // one per block of the store
};

}  // namespace heft::kv
