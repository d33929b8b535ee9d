// What heft bench found, as the heft.bench/2 document (docs/performance.md) and as tables of it.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench_run.h"
#include "app/roofs.h"

namespace heft::app {

struct BenchReport {
    double load_s = 0;         // until the model was open
    double first_token_s = 0;  // until it had made a token, opening included
    std::int64_t peak_memory_bytes = 0;
    double cache_bytes = 0;
    Roofs roofs;
    std::vector<BenchResult> results;
};

nlohmann::ordered_json bench_document(const engine::Engine& engine, const BenchReport& report);

// `format`: text (for a terminal), md or csv. Nothing for another.
void put_bench_table(const nlohmann::ordered_json& document, const std::string& format);
bool is_bench_format(const std::string& format);  // json included

}  // namespace heft::app
