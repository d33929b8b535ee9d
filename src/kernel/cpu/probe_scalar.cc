#include "kernel/cpu/probe_loops.h"
#include "kernel/generic/probe.inl.h"

namespace heft::kernel::probe_scalar {

// Four lanes, which every machine of this kind has; a multiplication and an addition.
void f32(std::int64_t rounds) noexcept {
    using F = float __attribute__((vector_size(16)));
    repeat_in_registers<kChains, F>(
        rounds, [](F acc) __attribute__((always_inline)) {
            return acc * F{0.5F, 0.5F, 0.5F, 0.5F} + F{1, 1, 1, 1};
        });
}

}  // namespace heft::kernel::probe_scalar
