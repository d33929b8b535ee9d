#include "base/threads.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>

namespace heft {

namespace {

// About 20 µs on a 3 GHz machine: longer than the gap between two matrices of a layer, far shorter
// than a scheduler's time slice.
constexpr int kSpins = 2000;

void pause_cpu() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Returns when `value` is no longer `old`.
template <class T>
void wait_change(const std::atomic<T>& value, T old) {
    for (int i = 0; i < kSpins; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause_cpu();
    }
    value.wait(old, std::memory_order_acquire);
}

int cgroup_cpus() {
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0;
    if (!(file >> quota >> period) || quota == "max" || period <= 0) return 1 << 16;
    return std::max(1, static_cast<int>(std::ceil(std::atof(quota.c_str()) / period)));
}

}  // namespace

int usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    int count = static_cast<int>(std::thread::hardware_concurrency());
    if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
    return std::max(1, std::min(count, cgroup_cpus()));
}

struct ThreadPool::State {
    std::atomic<std::uint32_t> round{0};
    std::atomic<int> running{0};
    std::atomic<bool> stop{false};
    const std::function<void(int, int)>* job = nullptr;
    int n_threads = 1;
    std::vector<std::jthread> workers;

    void work(int thread) {
        std::uint32_t seen = 0;
        for (;;) {
            wait_change(round, seen);
            seen = round.load(std::memory_order_acquire);
            if (stop.load(std::memory_order_acquire)) return;
            (*job)(thread, n_threads);
            if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) running.notify_all();
        }
    }
};

ThreadPool::ThreadPool(int n_threads) : state_(std::make_unique<State>()) {
    const int most = usable_cpus();
    state_->n_threads = n_threads <= 0 ? most : std::min(n_threads, most);
    for (int t = 1; t < state_->n_threads; ++t)
        state_->workers.emplace_back([state = state_.get(), t] { state->work(t); });
}

ThreadPool::~ThreadPool() {
    state_->stop.store(true, std::memory_order_release);
    state_->round.fetch_add(1, std::memory_order_acq_rel);
    state_->round.notify_all();
}

int ThreadPool::size() const {
    return state_->n_threads;
}

void ThreadPool::run(const std::function<void(int, int)>& job) {
    State& s = *state_;
    if (s.n_threads == 1) {
        job(0, 1);
        return;
    }
    s.job = &job;
    s.running.store(s.n_threads - 1, std::memory_order_relaxed);
    s.round.fetch_add(1, std::memory_order_acq_rel);
    s.round.notify_all();
    job(0, s.n_threads);
    for (int left = s.running.load(std::memory_order_acquire); left != 0;
         left = s.running.load(std::memory_order_acquire))
        wait_change(s.running, left);
}

}  // namespace heft
