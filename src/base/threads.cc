#include "base/threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>

namespace heft {

namespace {

using Clock = std::chrono::steady_clock;

// Longer than the gap between two matrices of a layer, far shorter than a scheduler's time slice.
constexpr std::chrono::microseconds kSpin{30};
constexpr int kPausesPerLook = 32;  // at the clock, which costs about as much

void pause_cpu() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Waits by time and not by count: pauses last ten times longer on some processors than on others,
// and a thread that lost its processor meanwhile should not spin on.
template <class Ready>
bool spin_until(const Ready& ready) {
    const auto give_up = Clock::now() + kSpin;
    do {
        for (int i = 0; i < kPausesPerLook; ++i) {
            if (ready()) return true;
            pause_cpu();
        }
    } while (Clock::now() < give_up);
    return ready();
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
    // A share is begun by whoever moves `begun` from the round before to this one.
    struct alignas(64) Share {
        std::atomic<std::uint32_t> begun{0};
    };

    explicit State(int n) : n_threads(n), shares(static_cast<std::size_t>(n)) {}

    std::atomic<std::uint32_t> round{0};
    // Workers that may be asleep until the next round, for even and for odd rounds: who sleeps
    // already for the round after this one must not be counted off by a call that wakes for this.
    std::array<std::atomic<int>, 2> sleepers{};
    std::atomic<int> not_begun{0};  // shares
    std::atomic<int> not_done{0};
    std::atomic<bool> stop{false};
    const std::function<void(int, int)>* job = nullptr;
    int n_threads;
    std::vector<Share> shares;
    std::vector<std::jthread> workers;

    // A thread that slept through rounds fails here: `begun` has moved on.
    void try_share(int share, std::uint32_t now) {
        std::uint32_t before = now - 1;
        if (!shares[static_cast<std::size_t>(share)].begun.compare_exchange_strong(
                before, now, std::memory_order_acq_rel))
            return;
        not_begun.fetch_sub(1, std::memory_order_relaxed);
        (*job)(share, n_threads);
        if (not_done.fetch_sub(1, std::memory_order_acq_rel) == 1) not_done.notify_all();
    }

    void take_part(int thread, std::uint32_t now) {
        try_share(thread, now);
        for (int i = 1; i < n_threads && not_begun.load(std::memory_order_relaxed) > 0; ++i)
            try_share((thread + i) % n_threads, now);
    }

    void work(int thread) {
        std::uint32_t seen = 0;
        for (;;) {
            const auto is_new = [&] { return round.load(std::memory_order_acquire) != seen; };
            if (!spin_until(is_new)) {
                // Either this is counted before the next round wakes the sleepers, or that round
                // is seen here: both are sequentially consistent.
                sleepers[seen % 2].fetch_add(1);
                round.wait(seen, std::memory_order_seq_cst);
            }
            seen = round.load(std::memory_order_acquire);
            if (stop.load(std::memory_order_acquire)) return;
            take_part(thread, seen);
        }
    }

    void next_round() {
        const std::uint32_t before = round.fetch_add(1);
        // Not for every round: one that was woken but got no processor yet needs no second call.
        if (sleepers[before % 2].exchange(0) > 0) round.notify_all();
    }
};

ThreadPool::ThreadPool(int n_threads) {
    const int most = usable_cpus();
    state_ = std::make_unique<State>(n_threads <= 0 ? most : std::min(n_threads, most));
    for (int t = 1; t < state_->n_threads; ++t)
        state_->workers.emplace_back([state = state_.get(), t] { state->work(t); });
}

ThreadPool::~ThreadPool() {
    state_->stop.store(true, std::memory_order_release);
    state_->next_round();
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
    s.not_begun.store(s.n_threads, std::memory_order_relaxed);
    s.not_done.store(s.n_threads, std::memory_order_relaxed);
    s.next_round();
    s.take_part(0, s.round.load(std::memory_order_relaxed));
    if (spin_until([&s] { return s.not_done.load(std::memory_order_acquire) == 0; })) return;
    for (int left = s.not_done.load(std::memory_order_acquire); left != 0;
         left = s.not_done.load(std::memory_order_acquire))
        s.not_done.wait(left, std::memory_order_acquire);
}

}  // namespace heft
