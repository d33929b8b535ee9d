#include "kernel/cpu/lanes_scalar.inl.h"
#include "kernel/generic/probe.inl.h"

namespace heft::kernel::probe_scalar {

// Four lanes, which every machine of this kind has; a multiplication and an addition.
void f32(std::int64_t rounds) noexcept {
    probe_fma<ScalarLanes>(rounds);
}

}  // namespace heft::kernel::probe_scalar
