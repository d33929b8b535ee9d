// The loop of a probe: `count` chains of one operation, as many as its latency needs, in registers.
#pragma once

#include "kernel/cpu/probe_loops.h"
#include "kernel/generic/lanes.inl.h"

namespace heft::kernel {
namespace {

// Hides from the compiler what a register holds.
template <class V>
HEFT_INLINE V opaque(V value) {
    __asm__ volatile("" : "+x"(value));
    return value;
}

// acc = step(acc), `rounds` times for each of `count` accumulators.
template <int count, class V, class Step>
HEFT_INLINE void repeat_in_registers(std::int64_t rounds, const Step& step) {
    V acc[count];
    unroll<count>([&](auto n) __attribute__((always_inline)) { acc[n.value] = opaque(V{}); });
    for (std::int64_t i = 0; i < rounds; ++i)
        unroll<count>([&](auto n)
                          __attribute__((always_inline)) { acc[n.value] = step(acc[n.value]); });
    unroll<count>([&](auto n) __attribute__((always_inline)) { opaque(acc[n.value]); });
}

// Multiply-adds of floats.
template <class L>
HEFT_INLINE void probe_fma(std::int64_t rounds) {
    using F = typename L::F;
    const F half = L::set(0.5F);
    const F one = L::set(1.0F);
    repeat_in_registers<kChains, F>(
        rounds, [=](F acc) __attribute__((always_inline)) { return L::fma(acc, half, one); });
}

}  // namespace
}  // namespace heft::kernel
