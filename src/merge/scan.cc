#include "merge/scan.h"

#include <algorithm>

#include "base/mapped_file.h"

namespace heft::merge {

namespace {

// What was read of mapped files need not stay in memory: a tensor may be larger than that.
void forget_rows(const Input& input, const Inputs& inputs, std::int64_t first_row,
                 std::int64_t n_rows) {
    forget_mapped(input.mapped_anywhere);
    if (input.mapped.empty() || inputs.n_rows == 0) return;
    const std::size_t row = input.mapped.size() / static_cast<std::size_t>(inputs.n_rows);
    const std::size_t begin = row * static_cast<std::size_t>(first_row);
    forget_mapped(input.mapped.subspan(begin, row * static_cast<std::size_t>(n_rows)));
}

}  // namespace

// After blocks first … first + count - 1 are done.
Status Scanner::pass(const Inputs& inputs, std::int64_t first, std::int64_t count) {
    const std::int64_t first_row = first * inputs.block_rows();
    const std::int64_t n_rows = std::min(count * inputs.block_rows(), inputs.n_rows - first_row);
    for (const Input& model : inputs.models) forget_rows(model, inputs, first_row, n_rows);
    if (inputs.base) forget_rows(*inputs.base, inputs, first_row, n_rows);
    const auto numbers = static_cast<std::uint64_t>(n_rows * inputs.n_columns);
    if (progress_ && !progress_(numbers)) return Error{Code::cancelled, "was stopped"};
    return {};
}

Status Scanner::in_waves(const Inputs& inputs, const Slot& each,
                         const std::function<Status(std::size_t count)>& after) {
    for (std::int64_t first = 0; first < inputs.n_blocks(); first += wave_) {
        const std::int64_t count = std::min<std::int64_t>(wave_, inputs.n_blocks() - first);
        std::atomic<std::int64_t> next{0};
        pool_.run([&](int, int) {
            BlockReader reader(inputs);
            for (std::int64_t i = next++; i < count; i = next++)
                each(static_cast<std::size_t>(i), reader.read(first + i));
        });
        HEFT_OK(after(static_cast<std::size_t>(count)));
        HEFT_OK(pass(inputs, first, count));
    }
    return {};
}

Status Scanner::each(const Inputs& inputs, const std::function<void(int, const Block&)>& map) {
    const std::int64_t stretch = 4 * static_cast<std::int64_t>(wave_);
    for (std::int64_t first = 0; first < inputs.n_blocks(); first += stretch) {
        const std::int64_t count = std::min(stretch, inputs.n_blocks() - first);
        std::atomic<std::int64_t> next{0};
        pool_.run([&](int share, int) {
            BlockReader reader(inputs);
            for (std::int64_t i = next++; i < count; i = next++) map(share, reader.read(first + i));
        });
        HEFT_OK(pass(inputs, first, count));
    }
    return {};
}

}  // namespace heft::merge
