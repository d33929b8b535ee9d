#include "app/roofs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace heft::app {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Keeps a result alive for the optimiser.
std::atomic<std::uint64_t> sink{0};

// Sums `n` words, walking `streams` equal segments in step. Plain 16-byte loads are several times
// faster than any main memory, so baseline code measures it well.
template <int streams>
std::uint64_t read_words(const std::uint64_t* words, std::size_t n) {
    using Pair = std::uint64_t __attribute__((vector_size(16), aligned(8), may_alias));
    const std::size_t pairs = n / streams / 2;
    Pair sums[streams] = {};
    for (std::size_t i = 0; i + 4 <= pairs; i += 4)
        for (int s = 0; s < streams; ++s) {
            const Pair* at =
                reinterpret_cast<const Pair*>(words) + static_cast<std::size_t>(s) * pairs + i;
            sums[s] += (at[0] + at[1]) + (at[2] + at[3]);
        }
    std::uint64_t total = 0;
    for (const Pair& sum : sums) total += sum[0] + sum[1];
    return total;
}

template <class Work>
double best_seconds(ThreadPool& pool, double budget_s, const Work& work) {
    double best = 1e30;
    const auto begin = Clock::now();
    do {
        const auto start = Clock::now();
        pool.run(work);
        best = std::min(best, seconds_since(start));
    } while (seconds_since(begin) < budget_s);
    return best;
}

template <int streams>
double read_bandwidth(ThreadPool& pool, const std::vector<std::uint64_t>& words) {
    const double best = best_seconds(pool, 0.3, [&words](int thread, int n_threads) {
        const std::size_t share = words.size() / static_cast<std::size_t>(n_threads);
        sink += read_words<streams>(words.data() + share * static_cast<std::size_t>(thread), share);
    });
    return static_cast<double>(words.size() * sizeof words[0]) / best / 1e9;
}

double float_peak(ThreadPool& pool, const kernel::Table& kernels) {
    constexpr int rows = kernel::kPanelRows;
    constexpr int length = 256;
    constexpr int tokens = 96;  // fewer do not reach the peak
    constexpr int rounds = 60;
    const double best = best_seconds(pool, 0.2, [&kernels](int, int) {
        const std::vector<float> w(rows * length, 0.5F);
        const std::vector<float> x(tokens * length, 0.25F);
        std::vector<float> out(tokens * rows);
        for (int i = 0; i < rounds; ++i)
            kernels.gemm_panel(w.data(), rows, length, x.data(), length, tokens, out.data(), rows);
        sink += static_cast<std::uint64_t>(out[0]);
    });
    const double flop = 2.0 * rows * length * tokens * rounds * pool.size();
    return flop / best / 1e12;
}

}  // namespace

Roofs measure_roofs(ThreadPool& pool, const kernel::Table& kernels) {
    constexpr std::size_t bytes = std::size_t{256} << 20;  // well beyond any cache
    const std::vector<std::uint64_t> words(bytes / sizeof(std::uint64_t), 1);
    Roofs roofs;
    roofs.read_gb_s_one_stream = read_bandwidth<1>(pool, words);
    roofs.read_gb_s = std::max(read_bandwidth<8>(pool, words), roofs.read_gb_s_one_stream);
    roofs.f32_tflop_s = float_peak(pool, kernels);
    return roofs;
}

}  // namespace heft::app
