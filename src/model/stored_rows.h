// One tensor of the family's table as its file holds it, turned into what the computation reads.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "arch/tensors.h"
#include "op/matmul.h"

namespace heft::model {

struct Matrix {
    op::Weight weight;
    std::unique_ptr<std::byte[]> owned;  // what weight.data points to, unless that is the file
};

// A view of the file where its rows lie one after the other; else a copy of the same numbers, of
// the same type. Errors: a type that heft does not compute with; a stored layout that only types of
// single numbers can have.
Result<Matrix> read_matrix(const arch::Located& at);

// Widened to float, changed as the table says.
Result<std::vector<float>> read_vector(const arch::Located& at);

// Each of n_block blocks of rows, [rows / n_block, cols], becomes [cols, rows / n_block], in
// float32.
Result<Matrix> turn_blocks(const op::Weight& weight, int n_block);

}  // namespace heft::model
