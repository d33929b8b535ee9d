// What the machine allows, measured in about a second: the figures that a speed is judged by.
#pragma once

#include "base/threads.h"
#include "kernel/table.h"

namespace heft::app {

struct Roofs {
    double read_gb_s_one_stream = 0;  // memory read, every thread walking one place
    double read_gb_s = 0;             // memory read, every thread walking eight far-apart places
    double f32_tflop_s = 0;  // multiply-adds of the float kernel on numbers in the L1 cache
};

Roofs measure_roofs(ThreadPool& pool, const kernel::Table& kernels);

}  // namespace heft::app
