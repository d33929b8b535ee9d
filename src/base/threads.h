// A pool for loops that all threads run together. A job has as many shares as the pool has threads;
// each thread, the calling one included, begins with the share of its own number. On a busy machine
// a thread may come late or not at all: whoever is done then begins the shares that nobody has
// begun, so that a round waits for no thread that has not started. Waiting threads spin for some
// microseconds, then sleep. One caller at a time; not re-entrant.
#pragma once

#include <functional>
#include <memory>

namespace heft {

// How many CPUs this process may use: affinity mask and cgroup quota, at least 1.
int usable_cpus();

class ThreadPool {
  public:
    // n_threads of 0 means usable_cpus(); more than usable_cpus() is cut to it.
    explicit ThreadPool(int n_threads = 0);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int size() const;

    // Calls job(share, n_shares) once for each of size() shares and returns when all are done. One
    // thread may do several, one after the other: memory may belong to a share, but what belongs
    // to the thread itself (the state of a coprocessor) must be set up in each call.
    void run(const std::function<void(int share, int n_shares)>& job);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace heft
