// Weights of one byte each, row after row, as FP8 checkpoints and int8 ones keep them.
#pragma once

#include <cstring>

#include "format/packed/grid.h"
#include "format/packed/grouped_rows.h"

namespace heft::format::packed {

// Integers with sign become codes without: plus 128.
inline constexpr std::uint8_t kSignBit = 0x80;

class ByteCodes : public Codes {
  public:
    // `weight` of type F8_E4M3 or I8.
    ByteCodes(const TensorView& weight, Grid grid, Floats scales)
        : Codes(weight.type == DType::i8 ? integer_levels() : e4m3_levels()),
          bytes_(weight.data),
          columns_(weight.shape.back()),
          flip_(weight.type == DType::i8 ? kSignBit : 0),
          grid_(std::move(grid)),
          scales_(scales) {}

    void codes(std::int64_t first, std::int64_t count, std::uint8_t* to) const override {
        const auto n = static_cast<std::size_t>(count * columns_);
        const std::byte* from = bytes_.data() + first * columns_;
        std::memcpy(to, from, n);
        if (flip_ != 0)
            for (std::size_t i = 0; i < n; ++i) to[i] ^= flip_;
    }

    Group group(std::int64_t row, std::int64_t column) const override {
        return {scales_[grid_.place(row, column)], flip_};
    }

  protected:
    const Grid& grid() const { return grid_; }

  private:
    Bytes bytes_;
    std::int64_t columns_;
    std::uint8_t flip_;
    Grid grid_;
    Floats scales_;
};

}  // namespace heft::format::packed
