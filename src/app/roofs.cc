#include "app/roofs.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "kernel/probes.h"

namespace heft::app {

namespace {

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

// The shortest of many runs: whatever disturbs one makes it longer.
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

constexpr double kMemoryBudget = 0.15;      // seconds for each number of streams
constexpr double kArithmeticBudget = 0.05;  // and for each probe

template <int streams>
MemoryRoof memory_roof(ThreadPool& pool, const std::vector<std::uint64_t>& words) {
    const double best = best_seconds(pool, kMemoryBudget, [&words](int share, int n_shares) {
        const std::size_t size = words.size() / static_cast<std::size_t>(n_shares);
        sink += read_words<streams>(words.data() + size * static_cast<std::size_t>(share), size);
    });
    return {streams, static_cast<double>(words.size() * sizeof words[0]) / best / 1e9};
}

ArithmeticRoof arithmetic_roof(ThreadPool& pool, const kernel::Probe& probe) {
    constexpr double flop_of_a_run = 1e8;  // a millisecond or less
    const auto rounds = static_cast<std::int64_t>(flop_of_a_run / probe.ops_per_round);
    const double best =
        best_seconds(pool, kArithmeticBudget, [&probe, rounds](int, int) { probe.run(rounds); });
    const double flop = probe.ops_per_round * static_cast<double>(rounds) * pool.size();
    return {probe.name, flop / best / 1e12};
}

}  // namespace

const MemoryRoof& Roofs::best_memory() const {
    return *std::max_element(
        memory.begin(), memory.end(),
        [](const MemoryRoof& a, const MemoryRoof& b) { return a.gb_s < b.gb_s; });
}

const ArithmeticRoof* Roofs::find(const std::string& name) const {
    for (const ArithmeticRoof& roof : arithmetic)
        if (roof.name == name) return &roof;
    return nullptr;
}

Roofs measure_roofs(ThreadPool& pool) {
    Roofs roofs;
    {
        constexpr std::size_t bytes = std::size_t{512} << 20;  // well beyond any cache
        const std::vector<std::uint64_t> words(bytes / sizeof(std::uint64_t), 1);
        roofs.memory = {memory_roof<1>(pool, words), memory_roof<2>(pool, words),
                        memory_roof<4>(pool, words), memory_roof<8>(pool, words),
                        memory_roof<16>(pool, words)};
    }
    for (const kernel::Probe& probe : kernel::probes())
        roofs.arithmetic.push_back(arithmetic_roof(pool, probe));
    return roofs;
}

Roofs better(Roofs a, const Roofs& b) {
    for (std::size_t i = 0; i < a.memory.size(); ++i)
        a.memory[i].gb_s = std::max(a.memory[i].gb_s, b.memory[i].gb_s);
    for (std::size_t i = 0; i < a.arithmetic.size(); ++i)
        a.arithmetic[i].tflop_s = std::max(a.arithmetic[i].tflop_s, b.arithmetic[i].tflop_s);
    return a;
}

}  // namespace heft::app
