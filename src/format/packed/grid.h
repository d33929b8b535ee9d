// Scales and zero points: one number per rectangle of a weight matrix, or per matrix of several.
#pragma once

#include <optional>

#include "format/packed/parts.h"

namespace heft::format::packed {

// The rectangle of weights that share a number. 0: as many as there are.
struct Tile {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
};

// Places of a grid [outer …, rows / tile.rows, columns / tile.cols], rounded up, for rows counted
// over all outer dimensions.
class Grid {
  public:
    Grid() = default;
    Grid(const Shape& weight, Tile tile);

    const Shape& shape() const { return shape_; }
    std::int64_t place(std::int64_t row, std::int64_t column) const {
        const std::int64_t within = row % matrix_rows_;
        return (row / matrix_rows_ * grid_rows_ + within / tile_.rows) * grid_cols_
               + column / tile_.cols;
    }
    // Whether 32 columns from a multiple of 32 on always share a number.
    bool in_blocks() const;

    // Whether a tensor of this shape has the grid's numbers: trailing extents of 1 may be missing.
    bool fits(const Shape& numbers) const;

  private:
    Shape shape_;
    Tile tile_{1, 1};
    std::int64_t columns_ = 0;
    std::int64_t matrix_rows_ = 1;
    std::int64_t grid_rows_ = 1;
    std::int64_t grid_cols_ = 1;
};

// The first of the tilings that the numbers' shape fits; nothing when none does.
std::optional<Grid> grid_for(const TensorView& numbers, const Shape& weight,
                             std::initializer_list<Tile> tilings);

}  // namespace heft::format::packed
