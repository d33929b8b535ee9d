// A tensor on its way from one model into the file of another: its name there, and its rows on
// demand, as they belong there. What converting, quantising and merging have in common. Reads from
// mapped files, which must stay open; safe to read from many threads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace heft::convert {

struct Weight {
    std::string name;
    Shape shape;                // as a TensorView's
    DType stored = DType::f32;  // what it is kept as where it comes from
    bool matrix = true;         // others, such as norms and biases, are small and kept exactly
    // How reading counts: rows of so many numbers. (A vector may come as rows of one.)
    std::int64_t n_rows = 0;
    std::int64_t n_cols = 0;
    // Rows first … first + count - 1 as floats, to[count * n_cols].
    std::function<void(std::int64_t first, std::int64_t count, float* to)> read;
    // The same as they are stored, where they can go into the file as they are; else empty.
    std::function<void(std::int64_t first, std::int64_t count, std::byte* to)> copy = {};
    // What of mapped files it is read from; may be forgotten (base/mapped_file.h) when it is done.
    std::vector<Bytes> mapped = {};
    bool mapped_in_order = false;  // row r of n at r / n of mapped[0]
    // What is to be prepared before the first row is read, once and by one thread
    // (Repack::prepare).
    std::vector<std::shared_ptr<const Repack>> prepared = {};

    // Numbers that are read to make all of it.
    std::uint64_t work() const;
    Status prepare(const Repack::Advance& advance) const;
};

// Adds what a view that a weight is made of needs.
void prepare_for(const TensorView& view, Weight& weight);

// A tensor of a file as it is.
Weight weight_of(const TensorView& view, bool is_mapped);

}  // namespace heft::convert
