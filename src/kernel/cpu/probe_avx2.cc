#if defined(__AVX2__)

#include "kernel/cpu/lanes_avx2.inl.h"
#include "kernel/generic/probe.inl.h"

namespace heft::kernel::probe_avx2 {

void f32(std::int64_t rounds) noexcept {
    probe_fma<Avx2Lanes>(rounds);
}

// Products of bytes, added by fours: what a dot product of int8 is made of without VNNI.
void int8(std::int64_t rounds) noexcept {
    const __m256i codes = _mm256_set1_epi8(3);
    const __m256i x = _mm256_set1_epi8(5);
    const __m256i ones = _mm256_set1_epi16(1);
    repeat_in_registers<kChains, __m256i>(
        rounds, [=](__m256i acc) __attribute__((always_inline)) {
            const __m256i pairs = _mm256_maddubs_epi16(opaque(codes), x);  // for each sum anew
            return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, ones));
        });
}

}  // namespace heft::kernel::probe_avx2

#endif
