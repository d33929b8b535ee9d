// Tensors in memory as inputs of a merge, for tests.
#pragma once

#include <algorithm>
#include <vector>

#include "merge/block.h"

namespace heft::merge::testing {

inline Input input_of(const std::vector<float>& values, std::int64_t n_columns) {
    return {[&values, n_columns](std::int64_t first, std::int64_t count, float* to) {
        const auto begin = values.begin() + first * n_columns;
        std::copy(begin, begin + count * n_columns, to);
    }};
}

// The lists must live as long as the inputs.
inline Inputs inputs_of(const std::vector<float>* base,
                        const std::vector<std::vector<float>>& models, std::int64_t n_rows,
                        std::int64_t n_columns) {
    Inputs inputs;
    inputs.shape = {n_rows, n_columns};
    inputs.n_rows = n_rows;
    inputs.n_columns = n_columns;
    if (base != nullptr) inputs.base = input_of(*base, n_columns);
    for (const auto& model : models) inputs.models.push_back(input_of(model, n_columns));
    return inputs;
}

}  // namespace heft::merge::testing
