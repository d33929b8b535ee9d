#if defined(__AVX512F__)

#include "kernel/cpu/lanes_avx512.inl.h"
#include "kernel/generic/isa.inl.h"

namespace heft::kernel::avx512_isa {

const Isa& isa() {
    static constexpr Isa kIsa = make_isa<Avx512Lanes>("avx512");
    return kIsa;
}

}  // namespace heft::kernel::avx512_isa

#endif
