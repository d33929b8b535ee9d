// What heft bench is asked to measure: every combination of some lists.
#pragma once

#include <string>
#include <vector>

#include "app/model_flags.h"

namespace heft::app {

// As they stand on the command line.
struct BenchOptions {
    ModelFlags model;
    std::string prompts = "512", predicts = "128", depths = "0", batches = "1";
    int repeats = 5;
    std::string format = "text";  // or md, csv, json
    bool json = false;            // the same as format json
    bool tune = false;
};

enum class BenchKind : std::uint8_t { prefill, decode };

// `n_tokens` for each of `batch` sequences that hold `depth` tokens already.
struct BenchTest {
    BenchKind kind;
    int n_tokens;
    int depth;
    int batch;
};

struct BenchPlan {
    std::vector<BenchTest> tests;  // by depth, then by batch, both ascending
    int repeats = 1;

    std::int64_t n_ctx() const;  // tokens that the longest sequence comes to
    int most_sequences() const;
};

Result<BenchPlan> plan_bench(const BenchOptions& options);

std::string name_of(const BenchTest& test);  // as llama-bench has it: pp512, tg128

}  // namespace heft::app
