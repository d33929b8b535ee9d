// A product of bfloat16 tiles alone, as op/matmul_tiles.cc asks for it: 256 rows by 512 columns,
// whose tiles stay in the second cache, times 512 tokens. One thread. Floating point operations are
// to be judged against "registers", the probe of the same machine. On shared machines AMX has two
// states of milliseconds to minutes, and both fall in the slow one: --benchmark_repetitions shows
// it. "unpack" is what precedes it: stored rows made tiles.
#include <algorithm>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "kernel/probes.h"
#include "kernel/table.h"
#include "tensor/half.h"
#include "tensor/quant/test_blocks.h"

namespace heft::kernel {
namespace {

constexpr int kRowTiles = 16;
constexpr int kTokenTiles = 32;
constexpr int kColumnTiles = 16;
constexpr double kFlop = 2.0 * kTile * kTile * kTileCols * kRowTiles * kTokenTiles * kColumnTiles;

// Numbers from the beginning of a cache line on, as tiles are loaded from.
template <class T>
class Lines {
  public:
    explicit Lines(std::size_t count) : all_(count + kLine) {}
    T* data() {
        const auto at = reinterpret_cast<std::uintptr_t>(all_.data());
        return reinterpret_cast<T*>((at + kLine - 1) / kLine * kLine);
    }

  private:
    static constexpr std::size_t kLine = 64;
    std::vector<T> all_;
};

void product(benchmark::State& state, const Table* table, bool add) {
    constexpr std::size_t kA = std::size_t{kRowTiles} * kColumnTiles * kTileNumbers;
    constexpr std::int64_t kStride = (kColumnTiles | 1) * kTileNumbers;
    Lines<std::uint16_t> a(kA);
    Lines<std::uint16_t> b(kTokenTiles * kStride);
    Lines<float> c(std::size_t{kRowTiles} * kTokenTiles * kResultNumbers);
    Rng rng(1);
    for (std::size_t i = 0; i < kA; ++i)
        a.data()[i] = to_bf16(static_cast<float>(rng.uniform() - 0.5));
    for (std::int64_t i = 0; i < kTokenTiles * kStride; ++i)
        b.data()[i] = to_bf16(static_cast<float>(rng.uniform() - 0.5));
    for (auto _ : state)
        table->tile_product(
            {a.data(), b.data(), kStride, c.data(), kRowTiles, kTokenTiles, kColumnTiles, add, {}});
    state.counters["FLOP"] = benchmark::Counter(kFlop * static_cast<double>(state.iterations()),
                                                benchmark::Counter::kIsRate);
}

// Rows become tiles, 512 columns of 256 rows at a time, as in products of many tokens, but that
// nothing is asked for ahead: from `bytes` of weights, in the second cache or far beyond it.
void unpack(benchmark::State& state, const Table* table, DType type, std::int64_t bytes) {
    constexpr std::int64_t kCols = 2048;
    constexpr int kRows = kRowTiles * kTile;
    constexpr std::int64_t kPart = std::int64_t{kColumnTiles} * kTileCols;
    const DTypeInfo& info = dtype_info(type);
    const std::int64_t row = kCols / info.block * info.block_bytes;
    const std::int64_t rows = std::max(bytes / row / kRows, std::int64_t{1}) * kRows;
    Rng rng(1);
    const auto some = test::random_weights(type, kCols * kRows, rng);
    std::vector<std::uint8_t> stored(static_cast<std::size_t>(rows * row));
    for (std::size_t at = 0; at < stored.size(); at += some.size())
        std::copy_n(some.begin(), std::min(some.size(), stored.size() - at),
                    stored.begin() + static_cast<std::ptrdiff_t>(at));
    Lines<std::uint16_t> tiles(std::size_t{kRowTiles} * kColumnTiles * kTileNumbers);
    std::int64_t first = 0;
    for (auto _ : state) {
        for (std::int64_t k = 0; k < kCols; k += kPart)
            for (int r = 0; r < kRows; r += kTile)
                table->unpack_tiles(
                    type, {stored.data() + (first + r) * row + k / info.block * info.block_bytes,
                           row, kTile, kPart, tiles.data() + r * kPart, kTileNumbers});
        first = (first + kRows) % rows;
    }
    state.SetBytesProcessed(state.iterations() * kRows * row);
    state.counters["ns/256"] =
        benchmark::Counter(static_cast<double>(state.iterations() * kRows * kCols / 256) * 1e-9,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void registers(benchmark::State& state, const Probe* probe) {
    constexpr std::int64_t kRounds = 10000;
    for (auto _ : state) probe->run(kRounds);
    state.counters["FLOP"] = benchmark::Counter(probe->ops_per_round * static_cast<double>(kRounds)
                                                    * static_cast<double>(state.iterations()),
                                                benchmark::Counter::kIsRate);
}

const bool kAdded = [] {
    for (const Table* table : usable()) {
        if (table->tile_product == nullptr) continue;
        const std::string name = table->name;
        benchmark::RegisterBenchmark(("first columns/" + name).c_str(), product, table, false);
        benchmark::RegisterBenchmark(("further columns/" + name).c_str(), product, table, true);
        for (const DType type : {DType::q4_k, DType::q5_k, DType::q6_k, DType::q8_0, DType::q4_0,
                                 DType::f16, DType::bf16}) {
            const std::string what = std::string(dtype_info(type).name) + "/" + name;
            benchmark::RegisterBenchmark(("unpack cached/" + what).c_str(), unpack, table, type,
                                         std::int64_t{1} << 19);
            benchmark::RegisterBenchmark(("unpack/" + what).c_str(), unpack, table, type,
                                         std::int64_t{1} << 28);
        }
    }
    for (const Probe& probe : probes())
        benchmark::RegisterBenchmark(("registers/" + std::string(probe.name)).c_str(), registers,
                                     &probe);
    return true;
}();

}  // namespace
}  // namespace heft::kernel
