// Rows of one tensor, from every model that goes into it. Everything that merging computes is a
// function of blocks: a tensor is cut into blocks of whole rows, always in the same places, so that
// results depend neither on threads nor on memory, and no more than a few blocks are ever held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tensor/tensor.h"

namespace heft::merge {

// Rows first … first + count - 1 as floats, end to end. Thread-safe.
using ReadRows = std::function<void(std::int64_t first, std::int64_t count, float* to)>;

struct Input {
    ReadRows read;
    // Bytes of a mapped file that it is read from: row by row in order, or anywhere in these.
    Bytes mapped = {}, mapped_anywhere = {};
};

// The inputs of one tensor. Rows are counted over all outer dimensions; a vector is one row.
struct Inputs {
    Shape shape;
    std::int64_t n_rows = 1, n_columns = 1;
    std::optional<Input> base;
    std::vector<Input> models;  // the base is not among them

    std::int64_t size() const { return n_rows * n_columns; }
    // About as many numbers as fit a core's cache together with what is computed from them.
    std::int64_t block_rows() const {
        constexpr std::int64_t kNumbers = 16384;
        const std::int64_t rows = n_columns > 0 ? kNumbers / n_columns : 1;
        return rows > 0 ? rows : 1;
    }
    std::int64_t n_blocks() const {
        return size() == 0 ? 0 : (n_rows + block_rows() - 1) / block_rows();
    }
};

struct Block {
    std::int64_t first_row = 0, n_rows = 0, n_columns = 0;
    const float* base = nullptr;  // nullptr: there is none
    std::vector<const float*> models;

    std::size_t size() const { return static_cast<std::size_t>(n_rows * n_columns); }
    // Of its first number in the tensor.
    std::uint64_t first() const { return static_cast<std::uint64_t>(first_row * n_columns); }
};

// A thread's memory for reading blocks: read() overwrites what it gave before.
class BlockReader {
  public:
    explicit BlockReader(const Inputs& inputs) : inputs_(inputs) {}
    const Block& read(std::int64_t index);
    // Any rows as if they were a block: what a rule makes of a row does not depend on its block.
    const Block& read_rows(std::int64_t first, std::int64_t count);

  private:
    const Inputs& inputs_;
    std::vector<std::vector<float>> numbers_;
    Block block_;
};

}  // namespace heft::merge
