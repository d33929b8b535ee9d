// What a model takes in memory while a scheduler serves it, from its description alone: the same
// numbers that opening it and Scheduler::start() then use.
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "engine/scheduler.h"

namespace heft::engine {

struct MemoryPlan {
    std::int64_t weights = 0;  // the files, and adapters
    std::int64_t working = 0;  // to compute a step, draw from it, and know the vocabulary
    // Of keys and values: for one answer of the context that was asked for, or of a modest one
    // where none was; and for as many as may be made at once.
    std::int64_t least_cache = 0, most_cache = 0;
    std::int64_t least_context = 0;  // tokens

    std::int64_t least() const { return weights + working + least_cache; }
    // Of the cache, where so much memory is to be had in all, at least least().
    std::int64_t cache_within(std::int64_t bytes) const;
};

// `engine` may have been opened without weights; with the cache types and adapters it will have.
// Errors: those of the configuration.
Result<MemoryPlan> plan_memory(const Engine& engine, const SchedulerOptions& options);

// "5.2 GiB: 4.1 of weights, 0.9 of cache for a context of 4096 tokens, 0.2 to compute".
std::string in_words(const MemoryPlan& plan);
std::string gibibytes(std::int64_t bytes);  // "4.1 GiB"

}  // namespace heft::engine
