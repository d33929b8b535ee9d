#if defined(__AVX2__)

#include "kernel/cpu/lanes_avx2.inl.h"
#include "kernel/generic/isa.inl.h"

namespace heft::kernel::avx2_isa {

const Isa& isa() {
    static constexpr Isa kIsa = make_isa<Avx2Lanes>("avx2");
    return kIsa;
}

}  // namespace heft::kernel::avx2_isa

#endif
