// Time as it passes, for measuring.
#pragma once

#include <chrono>

namespace heft {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace heft
