// The walk over a product of bfloat16 tiles (types.h). `Block` computes up to 2 x 2 tiles of
// results:
//
//   begin end                                around a product
//   add<rows, tokens>(operands, after_step)  calls after_step once for each tile of columns
//
// A result is the sum over its columns in order, whatever is computed beside it.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "kernel/types.h"

namespace heft::kernel {
namespace {

// Strides in numbers: to the next tile of rows, of tokens, and of results of the next tile of
// tokens.
struct TileOperands {
    const std::uint16_t* a;
    std::int64_t a_stride;
    const std::uint16_t* b;
    std::int64_t b_stride;
    float* c;
    std::int64_t c_stride;
    int k_tiles;
    bool add;
    // The b that is multiplied after this one, or nullptr: lines of each tile, from this one on,
    // are fetched.
    const std::uint16_t* next_b;
    int next_line;
    // The results of the block after this one, to be brought near: tiles wait for what they load.
    // Or nullptr.
    const float* next_c = nullptr;
};

inline constexpr int kNextLines = 2;  // of each tile, fetched beside one block

// Brings the work beside a product forward as the product is: a little after each tile of columns,
// so that neither vectors nor the tile unit wait for the other.
class Progress {
  public:
    explicit Progress(const TileProduct& p)
        : beside_(p.beside),
          steps_((p.row_tiles + 1) / 2 * ((p.token_tiles + 1) / 2) * p.k_tiles) {}
    HEFT_INLINE void after_step() {
        int until = done_;
        for (due_ += beside_.n; due_ >= steps_; due_ -= steps_) ++until;
        if (until > done_) beside_.run(beside_.work, done_, until);
        done_ = until;
    }

  private:
    const WorkBeside& beside_;
    int steps_;
    int due_ = 0;  // of a step's share of the work, in parts of `steps_`
    int done_ = 0;
};

template <class Block, int rows, int tokens>
HEFT_INLINE void tile_block(const TileProduct& p, int row, int token, Progress& progress) {
    const bool last = token + 4 > p.token_tiles;
    const auto results = [&p](int of_token, int of_row) {
        return p.c + (std::int64_t{of_token} * p.row_tiles + of_row) * kResultNumbers;
    };
    const TileOperands operands{
        .a = p.a + std::int64_t{row} * p.k_tiles * kTileNumbers,
        .a_stride = std::int64_t{p.k_tiles} * kTileNumbers,
        .b = p.b + token * p.b_stride,
        .b_stride = p.b_stride,
        .c = results(token, row),
        .c_stride = std::int64_t{p.row_tiles} * kResultNumbers,
        .k_tiles = p.k_tiles,
        .add = p.add,
        .next_b =
            last ? p.b + std::int64_t{p.k_tiles} * kTileNumbers : p.b + (token + 2) * p.b_stride,
        .next_line = row / 2 * kNextLines % kTile,
        .next_c = row + 2 < p.row_tiles ? results(token, row + 2) : results(token + 2, 0)};
    Block::template add<rows, tokens>(
        operands, [&progress]() __attribute__((always_inline)) { progress.after_step(); });
}

template <class Block, int tokens>
HEFT_INLINE void tile_rows(const TileProduct& p, int token, Progress& progress) {
    int row = 0;
    for (; row + 2 <= p.row_tiles; row += 2) tile_block<Block, 2, tokens>(p, row, token, progress);
    if (row < p.row_tiles) tile_block<Block, 1, tokens>(p, row, token, progress);
}

// Two tiles of tokens stay in the nearest cache while all rows pass by.
template <class Block>
void tile_product(const TileProduct& p) noexcept {
    Block::begin();
    Progress progress(p);
    int token = 0;
    for (; token + 2 <= p.token_tiles; token += 2) tile_rows<Block, 2>(p, token, progress);
    if (token < p.token_tiles) tile_rows<Block, 1>(p, token, progress);
    Block::end();
}

}  // namespace
}  // namespace heft::kernel
