#include "merge/merged_rows.h"

#include <algorithm>

#include "base/check.h"
#include "base/mapped_file.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::merge {

namespace {

std::size_t row_size(DType type, std::int64_t columns) {
    const auto bytes = row_bytes(type, static_cast<std::uint64_t>(columns));
    HEFT_CHECK(bytes);  // results are of plain types
    return static_cast<std::size_t>(*bytes);
}

}  // namespace

void make_rows(BlockReader& reader, const Rule& rule, std::int64_t first, std::int64_t count,
               std::vector<float>& to) {
    const Block& block = reader.read_rows(first, count);
    to.resize(block.size());
    rule(block, to.data());
}

MergedRows::MergedRows(const Plan& plan, const PlannedTensor& tensor, const Means& means)
    : plan_(plan), tensor_(tensor), means_(means), inputs_(inputs_of(plan, tensor)) {}

std::uint64_t MergedRows::preparation() const {
    return static_cast<std::uint64_t>(tensor_.size())
           * static_cast<std::uint64_t>(plan_.recipe.method->scans);
}

Status MergedRows::prepare(const Advance& advance) const {
    made_ = 0;
    Scanner scanner(means_.pool, advance, means_.wave);
    HEFT_TRY(rule_, plan_.recipe.method->prepare(inputs_, tensor_.settings, scanner));
    return {};
}

void MergedRows::rows(std::int64_t first, std::int64_t count, std::byte* to) const {
    HEFT_CHECK(rule_);
    const Codec* type = codec(tensor_.type);
    const std::size_t size = row_size(tensor_.type, inputs_.n_columns);
    BlockReader reader(inputs_);
    std::vector<float> numbers;
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t n = std::min(inputs_.block_rows(), count - done);
        make_rows(reader, rule_, first + done, n, numbers);
        type->quantise(numbers.data(), static_cast<std::int64_t>(numbers.size()), to);
        to += static_cast<std::size_t>(n) * size;
        done += n;
    }
    forget(count);
}

// What was read of mapped files need not stay in memory. Rows come in any order: after every so
// many all that is there goes, and what another thread is just reading comes back.
void MergedRows::forget(std::int64_t n_rows) const {
    const std::int64_t window = std::max<std::int64_t>(means_.wave * inputs_.block_rows(), 1);
    const std::int64_t before = made_.fetch_add(n_rows);
    const std::int64_t after = before + n_rows;
    if (before / window == after / window && after < inputs_.n_rows) return;
    const auto forget_one = [](const Input& input) {
        forget_mapped(input.mapped);
        forget_mapped(input.mapped_anywhere);
    };
    for (const Input& model : inputs_.models) forget_one(model);
    if (inputs_.base) forget_one(*inputs_.base);
}

HeldRows::HeldRows(const TensorView& made, Room room, ThreadPool& pool)
    : from_(made.repack),
      n_rows_(heft::rows_of(made)),
      row_bytes_(row_size(made.type, heft::columns_of(made))),
      room_(std::move(room)),
      pool_(pool) {
    HEFT_CHECK(row_bytes_ * static_cast<std::size_t>(n_rows_) <= room_->size());
}

Status HeldRows::prepare(const Advance& advance) const {
    HEFT_OK(from_->prepare(advance));
    pool_.run([this](int share, int n_shares) {
        const std::int64_t first = n_rows_ * share / n_shares;
        const std::int64_t end = n_rows_ * (share + 1) / n_shares;
        from_->rows(first, end - first,
                    room_->data() + row_bytes_ * static_cast<std::size_t>(first));
    });
    return {};
}

void HeldRows::rows(std::int64_t first, std::int64_t count, std::byte* to) const {
    std::copy_n(room_->data() + row_bytes_ * static_cast<std::size_t>(first),
                row_bytes_ * static_cast<std::size_t>(count), to);
}

}  // namespace heft::merge
