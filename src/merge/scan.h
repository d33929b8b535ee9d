// Going through all blocks of a tensor on all threads, with results in the order of the blocks.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/threads.h"
#include "merge/block.h"

namespace heft::merge {

// Told how many bytes of numbers (4 a number, of all inputs) were read since the last call; false:
// stop. Called from one thread at a time.
using Progress = std::function<bool(std::uint64_t bytes)>;

class Scanner {
  public:
    // `pool` outlives the scanner. At most `wave` blocks are worked on, and their results kept,
    // before these are folded.
    Scanner(ThreadPool& pool, Progress progress, int wave = 64)
        : pool_(pool), progress_(std::move(progress)), wave_(wave) {}

    // map(block) on many threads, then fold(result) in the order of the blocks on the calling one.
    // Errors: cancelled.
    template <class T, class Map, class Fold>
    Status fold(const Inputs& inputs, Map map, Fold fold) {
        std::vector<T> results(static_cast<std::size_t>(wave_));
        return in_waves(
            inputs, [&](std::size_t slot, const Block& block) { results[slot] = map(block); },
            [&](std::size_t count) -> Status {
                for (std::size_t i = 0; i < count; ++i) fold(std::move(results[i]));
                return {};
            });
    }

    // map(share, block), where what a share writes to is its own: for sums of integers, whose order
    // does not matter. Shares are numbered from 0 to shares() - 1.
    Status each(const Inputs& inputs, const std::function<void(int share, const Block&)>& map);
    int shares() const { return pool_.size(); }

    // make(block, numbers) for all blocks; what it makes is handed on in order while the next is
    // being made. Errors: cancelled, those of `out`.
    Status write(const Inputs& inputs, const std::function<void(const Block&, float*)>& make,
                 const std::function<void(const float*, std::int64_t, std::byte*)>& store,
                 std::uint64_t stored_row_bytes, const std::function<Status(Bytes)>& out);

    int wave() const { return wave_; }

  private:
    using Slot = std::function<void(std::size_t slot, const Block& block)>;

    Status in_waves(const Inputs& inputs, const Slot& each,
                    const std::function<Status(std::size_t count)>& after);
    Status pass(const Inputs& inputs, std::int64_t first, std::int64_t count);

    ThreadPool& pool_;
    Progress progress_;
    int wave_;
};

}  // namespace heft::merge
