#include "format/packed/grid.h"

#include <algorithm>

#include "tensor/quant/grouped.h"

namespace heft::format::packed {

namespace {

std::int64_t parts_of(std::int64_t whole, std::int64_t part) {
    return (whole - 1) / part + 1;  // whole > 0
}

Shape without_trailing_ones(Shape shape) {
    while (!shape.empty() && shape.back() == 1) shape.pop_back();
    return shape;
}

}  // namespace

Grid::Grid(const Shape& weight, Tile tile)
    : shape_(weight), columns_(weight.back()), matrix_rows_(weight[weight.size() - 2]) {
    tile_.rows = tile.rows == 0 ? matrix_rows_ : tile.rows;
    tile_.cols = tile.cols == 0 ? columns_ : tile.cols;
    grid_rows_ = parts_of(matrix_rows_, tile_.rows);
    grid_cols_ = parts_of(columns_, tile_.cols);
    shape_.back() = grid_cols_;
    shape_[shape_.size() - 2] = grid_rows_;
}

bool Grid::in_blocks() const {
    return columns_ % quant::kGroupedWeights == 0
           && (tile_.cols % quant::kGroupedWeights == 0 || tile_.cols >= columns_);
}

bool Grid::fits(const Shape& numbers) const {
    return without_trailing_ones(numbers) == without_trailing_ones(shape_);
}

std::optional<Grid> grid_for(const TensorView& numbers, const Shape& weight,
                             std::initializer_list<Tile> tilings) {
    for (const Tile& tile : tilings)
        if (const Grid grid(weight, tile); grid.fits(numbers.shape)) return grid;
    return {};
}

}  // namespace heft::format::packed
