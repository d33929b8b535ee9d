// What both ways of attention know of the cache. Private to op/attention*.
#pragma once

#include "op/attention.h"

namespace heft::op {

inline constexpr float kLog2E = 1.44269504F;

struct CachedBlock {
    kernel::KvRows keys;
    kernel::KvRows values;
};

// Keys and values of a head, n_keys positions from `from` on, all in one block.
inline CachedBlock cached_block(const AttentionShape& shape, const Seen& seen, int kv,
                                std::int64_t from, int n_keys) {
    const auto head = [&](DType type, int width) {
        const DTypeInfo& info = dtype_info(type);
        return std::int64_t{kv} * width / info.block * info.block_bytes;
    };
    const std::int64_t within = from % kBlock;
    return {{seen.keys[from / kBlock] + shape.key_offset + within * shape.key_row_bytes
                 + head(shape.key_type, shape.d_head),
             shape.key_row_bytes, n_keys, shape.d_head},
            {seen.values[from / kBlock] + shape.value_offset + within * shape.value_row_bytes
                 + head(shape.value_type, shape.d_value),
             shape.value_row_bytes, n_keys, shape.d_value}};
}

}  // namespace heft::op
