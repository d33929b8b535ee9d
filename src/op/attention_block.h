// What both ways of attention know of the cache. Private to op/attention*.
#pragma once

#include <algorithm>

#include "op/attention.h"

namespace heft::op {

inline constexpr float kLog2E = 1.44269504F;

struct CachedBlock {
    kernel::KvRows keys;
    kernel::KvRows values;
};

// Key/value heads that a thread takes in turn for each block, and the one whose turn it is.
struct HeadTurn {
    int first, count;
    int at;  // 0 … count - 1
};

// A side of the cache: keys or values.
struct CachedSide {
    const std::byte* const* blocks;
    std::int64_t offset, row_bytes;
    std::int64_t head_bytes;
    int width;

    const std::byte* at(std::int64_t position, int kv) const {
        return blocks[position / kBlock] + offset + position % kBlock * row_bytes + kv * head_bytes;
    }
    // `step` positions from `from` on, all in one block of the cache, none after `last`. Asked for
    // meanwhile is a share of those that follow, of all heads: so each row is read in one go.
    kernel::KvRows rows(const HeadTurn& heads, std::int64_t from, std::int64_t step,
                        std::int64_t last) const {
        kernel::KvRows out{at(from, heads.first + heads.at), row_bytes,
                           static_cast<int>(std::min(step, last + 1 - from)), width};
        const std::int64_t next = from + step + step * heads.at / heads.count;
        const std::int64_t end =
            std::min(from + step + step * (heads.at + 1) / heads.count, last + 1);
        if (next < end)
            out.next = {at(next, heads.first), row_bytes, heads.count * head_bytes,
                        static_cast<int>(end - next)};
        return out;
    }
};

inline CachedBlock cached_block(const AttentionShape& shape, const Seen& seen,
                                const HeadTurn& heads, std::int64_t from, std::int64_t step,
                                std::int64_t last) {
    const auto head_bytes = [](DType type, int width) {
        const DTypeInfo& info = dtype_info(type);
        return std::int64_t{width} / info.block * info.block_bytes;
    };
    const CachedSide keys{seen.keys, shape.key_offset, shape.key_row_bytes,
                          head_bytes(shape.key_type, shape.d_head), shape.d_head};
    const CachedSide values{seen.values, shape.value_offset, shape.value_row_bytes,
                            head_bytes(shape.value_type, shape.d_value), shape.d_value};
    return {keys.rows(heads, from, step, last), values.rows(heads, from, step, last)};
}

}  // namespace heft::op
