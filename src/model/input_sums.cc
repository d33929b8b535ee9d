#include "model/input_sums.h"

#include <algorithm>

#include "op/parallel.h"

namespace heft::model {

namespace {

bool is_of_a_block(std::string_view name) {
    return name.starts_with("blk.");
}

}  // namespace

InputSums::InputSums(const Model& model, bool with_output) {
    for (const MatrixName& matrix : model.matrix_names()) {
        if (!with_output && !is_of_a_block(matrix.name)) continue;
        Entry& entry = entries_[matrix.name];
        if (entry.counts.empty()) {
            const auto count = static_cast<std::size_t>(matrix.count);
            entry.n_cols = matrix.weight->cols;
            entry.sums.resize(count * static_cast<std::size_t>(entry.n_cols));
            entry.counts.resize(count);
        }
        places_.emplace(matrix.weight, Place{&entry, matrix.index});
    }
}

InputSums::~InputSums() {
    if (watched_ != nullptr) watched_->observer = nullptr;
}

void InputSums::watch(op::Context& context) {
    context.observer = this;
    watched_ = &context;
}

void InputSums::see(op::Context& context, std::span<const op::Group> groups) {
    std::vector<Place> places;
    for (const op::Group& group : groups) {
        places.clear();
        for (const op::Product& product : group.products)
            if (const auto found = places_.find(product.weight); found != places_.end())
                places.push_back(found->second);
        if (!places.empty() && group.n_tokens > 0) add(context, group, places);
    }
}

// Matrices of one group have the same input. Each column's sum is one thread's, in the order of the
// tokens.
void InputSums::add(op::Context& context, const op::Group& group,
                    std::span<const Place> places) const {
    constexpr std::int64_t kColumns = 256;
    const std::int64_t n_cols = places.front().entry->n_cols;
    const auto blocks = static_cast<int>((n_cols + kColumns - 1) / kColumns);
    op::for_each(context, blocks, [&](int block, int) {
        const std::int64_t first = block * kColumns;
        const std::int64_t count = std::min(kColumns, n_cols - first);
        double sums[kColumns] = {};
        for (int t = 0; t < group.n_tokens; ++t) {
            const float* x = group.x + t * group.x_stride + first;
            for (std::int64_t k = 0; k < count; ++k)
                sums[k] += static_cast<double>(x[k]) * static_cast<double>(x[k]);
        }
        for (const Place& place : places) {
            double* to = place.entry->sums.data() + place.index * n_cols + first;
            for (std::int64_t k = 0; k < count; ++k) to[k] += sums[k];
        }
    });
    for (const Place& place : places)
        place.entry->counts[static_cast<std::size_t>(place.index)] += group.n_tokens;
}

}  // namespace heft::model
