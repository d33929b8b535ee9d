// The walk over a product of bfloat16 tiles (types.h). `Block` computes up to 2 x 2 tiles of
// results:
//
//   begin end                       around a product
//   add<rows, tokens>(a, a_stride, b, b_stride, k_tiles, c, c_stride, add)
//                                   strides in numbers: to the next tile of rows, of tokens, and of
//                                   results of the next tile of tokens
//
// A result is the sum over its columns in order, whatever is computed beside it.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "kernel/types.h"

namespace heft::kernel {
namespace {

template <class Block, int rows, int tokens>
HEFT_INLINE void tile_block(const TileProduct& p, int row, int token) {
    Block::template add<rows, tokens>(
        p.a + std::int64_t{row} * p.k_tiles * kTileNumbers, std::int64_t{p.k_tiles} * kTileNumbers,
        p.b + token * p.b_stride, p.b_stride, p.k_tiles,
        p.c + (std::int64_t{token} * p.row_tiles + row) * kResultNumbers,
        std::int64_t{p.row_tiles} * kResultNumbers, p.add);
}

template <class Block, int tokens>
HEFT_INLINE void tile_rows(const TileProduct& p, int token) {
    int row = 0;
    for (; row + 2 <= p.row_tiles; row += 2) tile_block<Block, 2, tokens>(p, row, token);
    if (row < p.row_tiles) tile_block<Block, 1, tokens>(p, row, token);
}

// Two tiles of tokens stay in the nearest cache while all rows pass by.
template <class Block>
void tile_product(const TileProduct& p) noexcept {
    Block::begin();
    int token = 0;
    for (; token + 2 <= p.token_tiles; token += 2) tile_rows<Block, 2>(p, token);
    if (token < p.token_tiles) tile_rows<Block, 1>(p, token);
    Block::end();
}

}  // namespace
}  // namespace heft::kernel
