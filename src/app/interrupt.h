// Ctrl-C: the first one asks the running answer to stop, the second one ends the program.
#pragma once

#include <atomic>

namespace heft::app {

// While one lives, SIGINT sets the flag instead of ending the program. One at a time.
class InterruptGuard {
  public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

    const std::atomic<bool>& requested() const;
};

}  // namespace heft::app
