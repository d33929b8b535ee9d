#if defined(__AVX512BF16__)

#include <immintrin.h>

#include "kernel/generic/probe.inl.h"

namespace heft::kernel::probe_avx512_bf16 {

void bf16(std::int64_t rounds) noexcept {
    const __m512 ones = _mm512_set1_ps(1);
    const __m512bh pairs = _mm512_cvtne2ps_pbh(ones, ones);
    repeat_in_registers<kChains, __m512>(
        rounds, [=](__m512 acc)
                    __attribute__((always_inline)) { return _mm512_dpbf16_ps(acc, pairs, pairs); });
}

}  // namespace heft::kernel::probe_avx512_bf16

#endif
