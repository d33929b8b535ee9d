// What a merge takes: memory and time.
#pragma once

#include <cstdint>

#include "base/threads.h"
#include "merge/plan.h"

namespace heft::merge {

// How much memory merging takes beside the program itself, for a plan on so many threads with so
// many blocks in flight. An upper bound; what becomes of the rows is not counted.
std::uint64_t memory_for(const Plan& plan, int n_threads, int wave);

// The most blocks in flight within `max_ram` bytes (absent: the usual number), at least 1. Errors:
// exhausted, saying what it would take.
Result<int> wave_for(const Plan& plan, int n_threads, std::optional<std::uint64_t> max_ram);

// Seconds that the merge will take, from a few blocks of its largest tensor, made and thrown away.
Result<double> estimate_seconds(const Plan& plan, ThreadPool& pool);

}  // namespace heft::merge
