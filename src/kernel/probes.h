// How fast this machine's arithmetic units can be at most: loops of each instruction set that touch
// no memory. Measurements of kernels are judged by them.
#pragma once

#include <cstdint>
#include <span>

namespace heft::kernel {

struct Probe {
    const char* name;      // "vnni-512"
    double ops_per_round;  // multiplications and additions; those of a fused one count as two
    void (*run)(std::int64_t rounds) noexcept;
    bool (*usable)();
};

// Those that run on this machine, by instruction set. One thread's work each; those of AMX set up
// and release the tiles of the calling thread.
std::span<const Probe> probes();

}  // namespace heft::kernel
