// Products of matrices far larger than the caches. Bytes per second are those of the weights, to be
// judged against BM_read, the memory's own rate for one or more streams per thread; floating point
// operations against BM_fma. "cached" multiplies a matrix that stays in the second cache: what the
// instructions alone cost; "tiles" multiplies few tokens as many are where there are tiles.
#include <numeric>

#include <benchmark/benchmark.h>

#include "op/matmul.h"
#include "tensor/quant/test_blocks.h"

namespace heft::op {
namespace {

constexpr std::int64_t kCols = 2048;
constexpr std::int64_t kBytes = std::int64_t{512} << 20;

struct Fixture {
    explicit Fixture(DType type, std::int64_t bytes, int threads) : pool(threads) {
        const DTypeInfo& info = dtype_info(type);
        weight.type = type;
        weight.cols = kCols;
        weight.row_stride = kCols / info.block * info.block_bytes;
        weight.rows = bytes / weight.row_stride;
        Rng rng(1);
        const auto some = test::random_weights(type, kCols * 64, rng);
        stored.resize(static_cast<std::size_t>(weight.rows * weight.row_stride));
        for (std::size_t at = 0; at < stored.size(); at += some.size())
            std::copy_n(some.begin(), std::min(some.size(), stored.size() - at),
                        stored.begin() + static_cast<std::ptrdiff_t>(at));
        weight.data = reinterpret_cast<const std::byte*>(stored.data());
    }
    ThreadPool pool;
    std::vector<std::uint8_t> stored;
    Weight weight;
};

enum class Way : std::uint8_t { rows, usual, tiles };

void product(benchmark::State& state, DType type, std::int64_t bytes, Way way) {
    Fixture f(type, bytes, 0);
    const auto n_tokens = static_cast<int>(state.range(0));
    Context context{f.pool, kernel::best()};
    const int few = way == Way::rows ? n_tokens : 0;
    if (way != Way::usual)
        context.tuning = {
            .few_tokens_in_float = few, .few_tokens_in_integer = few, .tokens_in_integers = 0};
    const std::vector<float> x(static_cast<std::size_t>(kCols * n_tokens), 0.5F);
    std::vector<float> out(static_cast<std::size_t>(f.weight.rows * n_tokens));
    const Product one{&f.weight, out.data(), f.weight.rows};
    for (auto _ : state) matmul(context, {&one, 1}, x.data(), kCols, n_tokens);
    state.SetBytesProcessed(state.iterations() * f.weight.rows * f.weight.row_stride);
    state.counters["FLOP"] = benchmark::Counter(
        2.0 * static_cast<double>(f.weight.rows * kCols * n_tokens * state.iterations()),
        benchmark::Counter::kIsRate);
}

void decode(benchmark::State& state, DType type) {
    product(state, type, kBytes, Way::rows);
}
void cached(benchmark::State& state, DType type) {
    product(state, type, std::int64_t{768} << 10, Way::rows);
}
void prefill(benchmark::State& state, DType type) {
    product(state, type, std::int64_t{64} << 20, Way::usual);
}
void tiles(benchmark::State& state, DType type) {
    product(state, type, kBytes, Way::tiles);
}

void add_type(const char* name, DType type) {
    const std::string label = name;
    benchmark::RegisterBenchmark(("decode/" + label).c_str(), decode, type)
        ->Arg(1)
        ->Arg(4)
        ->Arg(8)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("cached/" + label).c_str(), cached, type)
        ->Arg(1)
        ->Arg(4)
        ->Arg(8)
        ->Arg(16)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(("prefill/" + label).c_str(), prefill, type)
        ->Arg(16)
        ->Arg(32)
        ->Arg(512)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    if (kernel::best().has_tiles(type))
        benchmark::RegisterBenchmark(("tiles/" + label).c_str(), tiles, type)
            ->Arg(8)
            ->Arg(16)
            ->Arg(32)
            ->Arg(64)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
}

const bool kAdded = [] {
    for (const DType type :
         {DType::q4_k, DType::q6_k, DType::q8_0, DType::bf16, DType::f16, DType::f32, DType::q4_0,
          DType::q4_1, DType::q5_0, DType::q5_1, DType::q5_k, DType::q2_k, DType::q3_k,
          DType::iq4_nl, DType::iq4_xs, DType::mxfp4})
        add_type(dtype_info(type).name, type);
    return true;
}();

// What the memory gives: each thread adds up its share, walking `range(0)` streams at once.
void read(benchmark::State& state) {
    const std::vector<std::uint64_t> words(static_cast<std::size_t>(kBytes) / sizeof(std::uint64_t),
                                           1);
    ThreadPool pool;
    const auto streams = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        pool.run([&](int thread, int n_threads) {
            constexpr std::size_t kStep = 64;  // 512 bytes
            const std::size_t share = words.size() / static_cast<std::size_t>(n_threads);
            const std::size_t segment = share / streams / kStep * kStep;
            const std::uint64_t* from = words.data() + share * static_cast<std::size_t>(thread);
            std::uint64_t sums[8] = {};
            for (std::size_t i = 0; i < segment; i += kStep)
                for (std::size_t s = 0; s < streams; ++s)
                    for (std::size_t j = 0; j < kStep; ++j)
                        sums[j % 8] += from[s * segment + i + j];
            benchmark::DoNotOptimize(sums);
        });
    }
    state.SetBytesProcessed(state.iterations() * kBytes);
}
BENCHMARK(read)->Arg(1)->Arg(2)->Arg(4)->Arg(8)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heft::op
