#if defined(__AVX512F__)

#include "kernel/cpu/lanes_avx512.inl.h"
#include "kernel/generic/probe.inl.h"

namespace heft::kernel::probe_avx512 {

void f32(std::int64_t rounds) noexcept {
    probe_fma<Avx512Lanes>(rounds);
}

void vnni_512(std::int64_t rounds) noexcept {
    const __m512i codes = _mm512_set1_epi8(3);
    const __m512i x = _mm512_set1_epi8(5);
    repeat_in_registers<kChains, __m512i>(
        rounds, [=](__m512i acc)
                    __attribute__((always_inline)) { return _mm512_dpbusd_epi32(acc, codes, x); });
}

void vnni_256(std::int64_t rounds) noexcept {
    const __m256i codes = _mm256_set1_epi8(3);
    const __m256i x = _mm256_set1_epi8(5);
    repeat_in_registers<kChains, __m256i>(
        rounds, [=](__m256i acc)
                    __attribute__((always_inline)) { return _mm256_dpbusd_epi32(acc, codes, x); });
}

}  // namespace heft::kernel::probe_avx512

#endif
