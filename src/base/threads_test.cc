#include "base/threads.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>

namespace heft {
namespace {

TEST(ThreadPool, RunsEachShareOnce) {
    ThreadPool pool(2);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::atomic<int>> runs(static_cast<std::size_t>(pool.size()));
        pool.run([&](int share, int n) {
            EXPECT_EQ(n, pool.size());
            ++runs[static_cast<std::size_t>(share)];
        });
        for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
    }
}

TEST(ThreadPool, SleepsAndWakesAgain) {
    ThreadPool pool(2);
    std::atomic<int> sum{0};
    for (int round = 0; round < 3; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));  // workers are asleep by now
        pool.run([&](int, int) { ++sum; });
    }
    EXPECT_EQ(sum.load(), 3 * pool.size());
}

// A round waits for no thread that has not begun: were it so, each would last as long as the system
// lets others run on that thread's processor, some milliseconds.
TEST(ThreadPool, DoesNotCollapseOnABusyMachine) {
    std::atomic<bool> stop{false};
    std::vector<std::jthread> busy;
    for (int i = 0; i < 4 * usable_cpus(); ++i)
        busy.emplace_back([&stop] {
            while (!stop) {}
        });
    ThreadPool pool;
    constexpr int rounds = 5000;
    std::atomic<int> shares{0};
    const auto begin = std::chrono::steady_clock::now();
    for (int round = 0; round < rounds; ++round) pool.run([&](int, int) { ++shares; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    stop = true;
    EXPECT_EQ(shares.load(), rounds * pool.size());
    EXPECT_LT(took.count(), 5.0);
}

// Stops the calling thread at any place, for long enough that workers go to sleep meanwhile.
void interrupt_often(pthread_t thread, const std::atomic<bool>& stop) {
    struct sigaction action {};
    action.sa_handler = [](int) {
        const timespec longer_than_they_spin{0, 100'000};
        nanosleep(&longer_than_they_spin, nullptr);
    };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    while (!stop) {
        pthread_kill(thread, SIGUSR1);
        std::this_thread::sleep_for(std::chrono::microseconds(120));
    }
}

// A worker that sleeps for good costs speed only, until the pool ends and waits for it.
TEST(ThreadPool, NoWorkerIsLeftAsleepForGood) {
    using namespace std::chrono_literals;
    using Clock = std::chrono::steady_clock;
    ThreadPool pool(2);
    if (pool.size() < 2) GTEST_SKIP() << "needs two processors";
    for (int i = 0; i < 6; ++i) {
        std::atomic<bool> stop{false};
        std::jthread thread([caller = pthread_self(), &stop] { interrupt_often(caller, stop); });
        for (const auto end = Clock::now() + 250ms; Clock::now() < end;) pool.run([](int, int) {});
        stop = true;
        thread.join();
        std::atomic<int> begun{0}, gave_up{0};
        pool.run([&](int, int) {
            ++begun;
            const auto last = Clock::now() + 5s;
            while (begun < 2 && Clock::now() < last) std::this_thread::yield();
            if (begun < 2) ++gave_up;
        });
        ASSERT_EQ(gave_up, 0) << "one thread did all shares";
    }
}

TEST(ThreadPool, NeverHasMoreThreadsThanUsableCpus) {
    ThreadPool pool(10000);
    EXPECT_EQ(pool.size(), usable_cpus());
    EXPECT_GE(usable_cpus(), 1);
}

}  // namespace
}  // namespace heft
