// What a model would need in memory at the usual quantisations, from its sizes alone: an estimate.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/arch.h"

namespace heft::app {

struct MemoryAt {
    const char* type;                      // "Q4_K_M"
    std::uint64_t weights = 0, cache = 0;  // bytes
};

// The longest context that the cache is estimated for.
inline constexpr std::int64_t kEstimatedContext = 8192;

// Cache of 16 bits for the model's context or kEstimatedContext, whichever is smaller. Sliding
// windows and scratch memory are left out.
std::vector<MemoryAt> memory_estimate(const arch::Config& config, std::int64_t n_weight);

}  // namespace heft::app
