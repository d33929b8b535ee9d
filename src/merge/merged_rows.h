// Rows of a tensor of the result, made as they are asked for. Internal to the module.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/threads.h"
#include "merge/method.h"
#include "merge/plan.h"
#include "tensor/tensor.h"

namespace heft::merge {

// What merging is done with.
struct Means {
    ThreadPool& pool;
    int wave;  // blocks in flight (weights.h)
};

// What a rule makes of rows first … first + count - 1: the same numbers in whatever pieces they are
// made.
void make_rows(BlockReader& reader, const Rule& rule, std::int64_t first, std::int64_t count,
               std::vector<float>& to);

class MergedRows final : public Repack {
  public:
    // All must outlive it.
    MergedRows(const Plan& plan, const PlannedTensor& tensor, const Means& means);

    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override;
    Status prepare(const Advance& advance) const override;
    std::uint64_t preparation() const override;

  private:
    void forget(std::int64_t n_rows) const;

    const Plan& plan_;
    const PlannedTensor& tensor_;
    Means means_;
    Inputs inputs_;
    mutable Rule rule_;
    mutable std::atomic<std::int64_t> made_{0};  // rows
};

// Rows that are all made at once when they are prepared, for readers that go by columns. They stand
// at the beginning of `room`, which is as large and which tensors that are never read at the same
// time may share.
class HeldRows final : public Repack {
  public:
    using Room = std::shared_ptr<std::vector<std::byte>>;
    HeldRows(const TensorView& made, Room room, ThreadPool& pool);

    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override;
    Status prepare(const Advance& advance) const override;
    std::uint64_t preparation() const override { return from_->preparation(); }

  private:
    std::shared_ptr<const Repack> from_;
    std::int64_t n_rows_;
    std::size_t row_bytes_;
    Room room_;
    ThreadPool& pool_;
};

}  // namespace heft::merge
