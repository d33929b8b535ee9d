// heft bench --tune.
#pragma once

#include "app/bench_plan.h"

namespace heft::app {

// Measures the settings of op/tuning.h anew, keeps them, and shows them with what was tried.
Status bench_tuning(const BenchOptions& options);

}  // namespace heft::app
