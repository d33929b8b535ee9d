#include "kernel/cpu/lanes_scalar.inl.h"
#include "kernel/generic/isa.inl.h"

namespace heft::kernel::scalar_isa {

const Isa& isa() {
    static constexpr Isa kIsa = make_isa<ScalarLanes>("scalar");
    return kIsa;
}

}  // namespace heft::kernel::scalar_isa
