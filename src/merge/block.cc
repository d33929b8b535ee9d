#include "merge/block.h"

#include <algorithm>

namespace heft::merge {

const Block& BlockReader::read(std::int64_t index) {
    const std::int64_t first = index * inputs_.block_rows();
    return read_rows(first, std::min(inputs_.block_rows(), inputs_.n_rows - first));
}

const Block& BlockReader::read_rows(std::int64_t first, std::int64_t count) {
    block_.first_row = first;
    block_.n_rows = count;
    block_.n_columns = inputs_.n_columns;
    const std::size_t n_models = inputs_.models.size();
    numbers_.resize(n_models + 1);
    block_.models.resize(n_models);
    const auto fill = [this](const Input& input, std::vector<float>& to) {
        to.resize(block_.size());
        input.read(block_.first_row, block_.n_rows, to.data());
        return to.data();
    };
    for (std::size_t i = 0; i < n_models; ++i)
        block_.models[i] = fill(inputs_.models[i], numbers_[i]);
    block_.base = inputs_.base ? fill(*inputs_.base, numbers_[n_models]) : nullptr;
    return block_;
}

}  // namespace heft::merge
