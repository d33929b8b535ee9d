// Attention of a layer in the shape of a 1B Llama, 32 query and 8 key/value heads of 64: prefill of
// 512 tokens behind a cache, in FLOP/s and as a share of float32 multiply-adds (BM_fma's rate,
// taken in the same run); decode of one token over caches larger than the processor's, in bytes per
// second.
#include <algorithm>
#include <chrono>

#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "op/attention.h"
#include "tensor/quant/quant.h"

namespace heft::op {
namespace {

constexpr int kHeads = 32;
constexpr int kKv = 8;
constexpr int kWidth = 64;

// Multiply-adds of a panel that stays in the first cache: the arithmetic's own rate.
double fma_flops(ThreadPool& pool, const kernel::Table& table) {
    constexpr int kRows = kernel::kPanelRows;
    constexpr int kColumns = 256;
    constexpr int kTokens = 96;
    constexpr int kRounds = 60;
    double best = 1e30;
    for (int trial = 0; trial < 20; ++trial) {
        const auto begin = std::chrono::steady_clock::now();
        pool.run([&table](int, int) {
            const std::vector<float> w(kRows * kColumns, 0.5F);
            const std::vector<float> x(kTokens * kColumns, 0.25F);
            std::vector<float> out(kTokens * kRows);
            for (int i = 0; i < kRounds; ++i)
                table.gemm_panel(w.data(), kRows, kColumns, x.data(), kColumns, kTokens, out.data(),
                                 kRows);
            benchmark::DoNotOptimize(out.data());
        });
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        best = std::min(best, took.count());
    }
    return 2.0 * kRows * kColumns * kTokens * kRounds * pool.size() / best;
}

struct Setting {
    const kernel::Table* table;
    DType type;
    int n_tokens;
    int depth;
    int n_layers;  // caches visited in turn
    Precision precision = Precision::fast;
};

void attend(benchmark::State& state, const Setting& s) {
    ThreadPool pool;
    Context context{pool, *s.table, s.precision};
    AttentionShape shape;
    shape.n_head = kHeads;
    shape.n_kv = kKv;
    shape.d_head = shape.d_value = kWidth;
    shape.scale = 0.125F;
    shape.key_type = shape.value_type = s.type;
    const DTypeInfo& info = dtype_info(s.type);
    constexpr std::int64_t kRow = std::int64_t{kKv} * kWidth;
    shape.key_row_bytes = shape.value_row_bytes = kRow / info.block * info.block_bytes;
    const std::int64_t n_blocks = (s.depth + s.n_tokens + kBlock - 1) / kBlock;
    const std::int64_t length = n_blocks * kBlock;

    Rng rng(1);
    std::vector<float> row(kRow * 64);
    for (float& x : row) x = static_cast<float>(2 * rng.uniform() - 1);
    const std::int64_t layer_bytes = length * shape.key_row_bytes;
    std::vector<std::byte> cache(static_cast<std::size_t>(2 * s.n_layers * layer_bytes));
    for (std::int64_t at = 0; at < 2 * s.n_layers * length; ++at)
        codec(s.type)->quantise(row.data() + at % 64 * kRow, kRow,
                                cache.data() + at * shape.key_row_bytes);
    std::vector<float> q(static_cast<std::size_t>(s.n_tokens * kHeads * kWidth), 0.3F);
    std::vector<float> out(q.size());
    std::vector<Seen> seen(static_cast<std::size_t>(s.n_tokens));
    // Blocks as they lie in a cache: those of a layer apart, keys and values beside each other.
    const std::int64_t half = kBlock * shape.key_row_bytes;
    std::vector<const std::byte*> blocks;
    for (std::int64_t at = 0; at < n_blocks; ++at)
        blocks.push_back(cache.data() + at * 2 * s.n_layers * half);
    int layer = 0;
    for (auto _ : state) {
        shape.key_offset = 2 * layer * half;
        shape.value_offset = shape.key_offset + half;
        for (int t = 0; t < s.n_tokens; ++t)
            seen[static_cast<std::size_t>(t)] = {blocks.data(), blocks.data(), 0, s.depth + t};
        attention(context, shape, seen, q.data(), out.data());
        layer = (layer + 1) % s.n_layers;
    }
    const double keys_seen = s.n_tokens * (s.depth + (s.n_tokens + 1) / 2.0);
    const double flops =
        4.0 * keys_seen * kHeads * kWidth * static_cast<double>(state.iterations());
    using benchmark::Counter;
    state.counters["FLOP"] = Counter(flops, Counter::kIsRate);
    state.counters["of_fma"] = Counter(flops / fma_flops(pool, *s.table), Counter::kIsRate);
    state.SetBytesProcessed(state.iterations() * 2 * layer_bytes);
}

void add(const char* what, const kernel::Table& table, const Setting& setting) {
    const std::string name = std::string(what) + "/" + table.name + "/"
                             + dtype_info(setting.type).name + "/" + std::to_string(setting.depth);
    benchmark::RegisterBenchmark(name.c_str(), attend, setting)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace heft::op

int main(int argc, char** argv) {
    using heft::DType;
    for (const heft::kernel::Table* table : heft::kernel::usable())
        for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::q8_0}) {
            for (const int depth : {0, 4096, 16384})
                for (const bool exact : {false, true})
                    heft::op::add(exact ? "prefill_f32" : "prefill", *table,
                                  {table, type, 512, depth, 1,
                                   exact ? heft::op::Precision::f32 : heft::op::Precision::fast});
            heft::op::add("decode", *table, {table, type, 1, 16384, 8});
        }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
