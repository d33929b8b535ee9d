// Rows of a matrix that is made of several: unit by unit, each with its share of the rows of every
// part, and that for every matrix of a stack.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "arch/tensors.h"

namespace heft::convert {

// Of what GGUF files of some families have the rows of each head interleaved.
constexpr bool is_interleaved(arch::Role role) {
    using arch::Role;
    return role == Role::attn_q || role == Role::attn_k || role == Role::attn_q_bias
           || role == Role::attn_k_bias;
}

struct PartRows {
    std::vector<std::int64_t> rows;  // of each part, in all units; multiples of units
    std::int64_t units = 1;

    std::int64_t total() const {
        return std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
    }

    struct Place {
        std::size_t part;
        std::int64_t matrix, row;  // which of the stack, and the row within the part
    };
    Place place(std::int64_t row) const {
        const std::int64_t each = total();
        const std::int64_t unit = row % each / (each / units);
        std::int64_t within = row % each % (each / units);
        std::size_t part = 0;
        for (; within >= rows[part] / units; ++part) within -= rows[part] / units;
        return {part, row / each, unit * (rows[part] / units) + within};
    }
};

}  // namespace heft::convert
