// What the machine allows, measured in about a second: the figures that a speed is judged by.
#pragma once

#include <string>
#include <vector>

#include "base/threads.h"

namespace heft::app {

struct MemoryRoof {
    int streams = 1;  // far-apart places that every thread reads at once
    double gb_s = 0;
};

struct ArithmeticRoof {
    std::string name;  // a probe's: kernel/probes.h
    double tflop_s = 0;
};

struct Roofs {
    std::vector<MemoryRoof> memory;          // streamed reads of main memory, 1, 2, 4 … streams
    std::vector<ArithmeticRoof> arithmetic;  // on all threads, in registers

    const MemoryRoof& best_memory() const;
    double one_stream_gb_s() const { return memory.front().gb_s; }
    const ArithmeticRoof* find(const std::string& name) const;  // nullptr: not on this machine
};

// Takes 512 MB while it lasts.
Roofs measure_roofs(ThreadPool& pool);

// The better of each: a roof is what the machine can do, and two looks see more than one.
Roofs better(Roofs a, const Roofs& b);

}  // namespace heft::app
