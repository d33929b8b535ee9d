// Signals for a program that serves: they are waited for by one thread and interrupt nothing.
#pragma once

#include <chrono>
#include <csignal>

namespace heft::app {

// Made before any thread is: threads inherit that these signals are blocked.
class Signals {
  public:
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // SIGINT, SIGTERM or SIGHUP; 0 when none came in time.
    int wait(std::chrono::milliseconds time) const;

  private:
    sigset_t set_{};
    sigset_t before_{};
};

}  // namespace heft::app
