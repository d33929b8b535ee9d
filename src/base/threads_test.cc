#include "base/threads.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace heft {
namespace {

TEST(ThreadPool, RunsTheJobOnceOnEveryThread) {
    ThreadPool pool(2);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::atomic<int>> runs(static_cast<std::size_t>(pool.size()));
        pool.run([&](int thread, int n) {
            EXPECT_EQ(n, pool.size());
            ++runs[static_cast<std::size_t>(thread)];
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

TEST(ThreadPool, NeverHasMoreThreadsThanUsableCpus) {
    ThreadPool pool(10000);
    EXPECT_EQ(pool.size(), usable_cpus());
    EXPECT_GE(usable_cpus(), 1);
}

}  // namespace
}  // namespace heft
