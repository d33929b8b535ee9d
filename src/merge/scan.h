// Going through all blocks of a tensor on all threads, with results in the order of the blocks.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/threads.h"
#include "merge/block.h"

namespace heft::merge {

// Told how many numbers of the tensor were gone through since the last call; false: stop. Called
// from one thread at a time. May be empty.
using Progress = Repack::Advance;

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
