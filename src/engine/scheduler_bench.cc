// What the scheduler costs and brings, on the model that HEFT_BENCH_MODEL names ("tiny" without
// it): tokens per second of many answers, beside the bare passes of the model over as many
// sequences; and the time to the first token, of a prompt that is new, that is known, and that
// comes while others are answered.
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "base/rng.h"
#include "engine/scheduler.h"

namespace heft::engine {
namespace {

constexpr int kTokens = 64;  // of each answer
constexpr int kContext = 4096;

const Engine* opened() {
    static const auto engine = [] {
        const char* name = std::getenv("HEFT_BENCH_MODEL");
        return Engine::open(name == nullptr ? "tiny" : name);
    }();
    return engine ? &*engine : nullptr;
}

std::vector<TokenId> random_prompt(Rng& rng, int n) {
    const auto n_vocab = static_cast<std::uint64_t>(opened()->model().config().n_vocab);
    std::vector<TokenId> prompt;
    for (int i = 0; i < n; ++i) prompt.push_back(static_cast<TokenId>(rng.next() % n_vocab));
    return prompt;
}

// As many passes as an answer has tokens, each over one token of every sequence.
void bare_passes(benchmark::State& state) {
    const auto n = static_cast<std::size_t>(state.range(0));
    Rng rng(1);
    std::vector<kv::Cache> caches;
    for (std::size_t i = 0; i < n; ++i) {
        auto cache = opened()->make_cache(kTokens, kTokens);
        if (!cache) return state.SkipWithError(cache.error().what.c_str());
        caches.push_back(std::move(*cache));
    }
    std::vector<model::Input> inputs;
    PagedVector<float> logits;
    for (auto _ : state)
        for (int at = 0; at < kTokens; ++at) {
            inputs.clear();
            for (kv::Cache& cache : caches)
                inputs.push_back({random_prompt(rng, 1).front(), at, &cache, true});
            logits.clear();
            if (const Status done = opened()->model().forward(opened()->context(), inputs, logits);
                !done)
                return state.SkipWithError(done.error().what.c_str());
        }
    state.SetItemsProcessed(state.iterations() * kTokens * state.range(0));
}

class Waiting {
  public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++n_;
    }
    void done() {
        const std::lock_guard lock(mutex_);
        if (--n_ == 0) changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return n_ == 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int n_ = 0;
};

JobId submit(Scheduler& scheduler, std::vector<TokenId> prompt, int n, Waiting& waiting) {
    Job job;
    job.request.prompt = std::move(prompt);
    job.request.n_predict = n;
    job.request.ignore_eos = true;
    job.request.decode_text = false;
    waiting.add();
    job.on_done = [&waiting](const Result<Reply>& reply) {
        if (!reply) std::abort();
        waiting.done();
    };
    const auto id = scheduler.submit(std::move(job));
    if (!id) std::abort();
    return *id;
}

std::unique_ptr<Scheduler> started() {
    auto scheduler = Scheduler::start(*opened(), {.n_ctx = kContext, .cache_bytes = 2LL << 30});
    if (!scheduler) std::abort();
    return std::move(*scheduler);
}

void answers(benchmark::State& state) {
    const auto scheduler = started();
    Rng rng(1);
    for (auto _ : state) {
        Waiting waiting;
        for (int i = 0; i < state.range(0); ++i)
            submit(*scheduler, random_prompt(rng, 1), kTokens, waiting);
        waiting.wait();
    }
    state.SetItemsProcessed(state.iterations() * kTokens * state.range(0));
}

enum class Known : std::uint8_t { no, yes };

// Of a prompt of range(0) tokens while range(1) others are answered.
void first_token(benchmark::State& state, Known known) {
    const auto scheduler = started();
    Rng rng(1);
    Waiting others;
    std::vector<JobId> ids;
    const int n_prompt = static_cast<int>(std::min(state.range(0), scheduler->n_ctx() - 16));
    for (int i = 0; i < state.range(1); ++i)
        ids.push_back(submit(*scheduler, random_prompt(rng, 1), -1, others));
    std::vector<TokenId> prompt = random_prompt(rng, n_prompt);
    const auto once = [&] {
        Waiting waiting;
        submit(*scheduler, prompt, 1, waiting);
        waiting.wait();
    };
    if (known == Known::yes) once();
    for (auto _ : state) {
        state.PauseTiming();
        if (known == Known::no) prompt = random_prompt(rng, n_prompt);
        for (int i = 0; i < 8; ++i) prompt[prompt.size() - 8 + i] = random_prompt(rng, 1).front();
        state.ResumeTiming();
        once();
    }
    for (const JobId id : ids) scheduler->cancel(id);
    others.wait();
}

BENCHMARK(bare_passes)->Arg(8)->Arg(32)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(answers)->Arg(8)->Arg(32)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_token, new_prompt, Known::no)
    ->Args({512, 0})
    ->Args({512, 8})
    ->Args({2000, 0})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_token, known_prompt, Known::yes)
    ->Args({2000, 0})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heft::engine
