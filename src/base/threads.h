// A pool for loops that all threads run together. The calling thread is thread 0. Waiting threads
// spin briefly, then sleep, so that an idle pool costs nothing and an oversubscribed machine does
// not collapse. One caller at a time; not re-entrant.
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

    // Calls job(thread, n_threads) once on every thread and returns when all are done.
    void run(const std::function<void(int thread, int n_threads)>& job);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace heft
