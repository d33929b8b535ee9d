// Runs the tests of heft bench: several sequences of one model, fed with random tokens.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "app/bench_work.h"
#include "base/rng.h"
#include "engine/engine.h"

namespace heft::app {

struct BenchResult {
    BenchTest test;
    Work work;                    // of one repetition
    std::vector<double> seconds;  // ascending, one per repetition

    double median() const { return seconds[seconds.size() / 2]; }
};

class BenchRun {
  public:
    // Tests stop with Code::cancelled soon after `stop` is set. Both outlive this.
    BenchRun(const engine::Engine& engine, const std::atomic<bool>& stop)
        : engine_(engine), stop_(stop) {}

    // The first token after opening, with whatever has to be set up for it.
    Status first_token();

    // Room for the sequences of all tests.
    Status prepare(const BenchPlan& plan);

    // Once to warm up, then `repeats` times. Depths do not descend from one call to the next.
    Result<BenchResult> measure(const BenchTest& test, int repeats);

    double cache_bytes() const;  // that the sequences took at most

  private:
    std::int32_t token();
    Status forward();
    Status feed(int n_sequences, int from, int count);
    Status deepen(int depth, int n_sequences);
    Status once(const BenchTest& test);

    const engine::Engine& engine_;
    const std::atomic<bool>& stop_;
    std::vector<kv::Cache> caches_;
    std::vector<int> filled_;  // tokens of each sequence that later tests may build on
    std::vector<model::Input> inputs_;
    PagedVector<float> logits_;
    double cache_bytes_ = 0;
    Rng rng_{1};
};

}  // namespace heft::app
