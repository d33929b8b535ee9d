// One sampling step over vocabularies of today's sizes.
#include <benchmark/benchmark.h>

#include "gen/sampling.h"
#include "gen/test_lists.h"

namespace heft::gen {
namespace {

void run(benchmark::State& state, SamplingOptions options) {
    const auto n_vocab = static_cast<int>(state.range(0));
    const auto logits = testing::rough_logits(static_cast<std::size_t>(n_vocab), 1);
    options.seed = 1;
    auto sampler = Sampler::make(std::move(options), n_vocab);
    if (!sampler || !sampler->sample(logits)) {
        state.SkipWithError("no token");
        return;
    }
    for (TokenId id = 0; id < 64; ++id) sampler->accept(id * 7);
    while (state.KeepRunning()) benchmark::DoNotOptimize(sampler->sample(logits));
    state.SetBytesProcessed(state.iterations() * n_vocab
                            * static_cast<std::int64_t>(sizeof(float)));
}

void greedy_step(benchmark::State& state) {
    SamplingOptions options;
    options.temperature = 0.0F;
    run(state, options);
}

void default_step(benchmark::State& state) {
    run(state, {});
}

void with_penalties(benchmark::State& state) {
    SamplingOptions options;
    options.penalties.repeat = 1.1F;
    options.dry.multiplier = 0.8F;
    run(state, options);
}

void top_p_without_top_k(benchmark::State& state) {
    SamplingOptions options;
    options.top_k = 0;
    run(state, options);
}

void mirostat_step(benchmark::State& state) {
    SamplingOptions options;
    options.mirostat.on = true;
    run(state, options);
}

void with_logprobs(benchmark::State& state) {
    SamplingOptions options;
    options.top_logprobs = 20;
    run(state, options);
}

BENCHMARK(greedy_step)->Arg(131072)->Arg(262144);
BENCHMARK(default_step)->Arg(131072)->Arg(262144);
BENCHMARK(with_penalties)->Arg(131072)->Arg(262144);
BENCHMARK(top_p_without_top_k)->Arg(131072)->Arg(262144);
BENCHMARK(mirostat_step)->Arg(131072)->Arg(262144);
BENCHMARK(with_logprobs)->Arg(131072)->Arg(262144);

}  // namespace
}  // namespace heft::gen
