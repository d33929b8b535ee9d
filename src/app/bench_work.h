// How much a test has to read and to compute, whoever does it: what a speed is compared with a roof
// by.
#pragma once

#include "app/bench_plan.h"
#include "engine/engine.h"

namespace heft::app {

struct Work {
    double tokens = 0;
    double bytes = 0;  // weights, of the experts those that are used, and cache
    double flop = 0;   // multiplications and additions, in integers or floats
};

// `chunk`: tokens of prefill computed at once.
Work work_of(const BenchTest& test, const engine::Engine& engine, int chunk);

}  // namespace heft::app
