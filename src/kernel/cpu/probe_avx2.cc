#if defined(__AVX2__)

#include <immintrin.h>

#include "kernel/cpu/probe_loops.h"
#include "kernel/generic/probe.inl.h"

namespace heft::kernel::probe_avx2 {

void f32(std::int64_t rounds) noexcept {
    const __m256 half = _mm256_set1_ps(0.5F);
    const __m256 one = _mm256_set1_ps(1);
    repeat_in_registers<kChains, __m256>(
        rounds, [=](__m256 acc)
                    __attribute__((always_inline)) { return _mm256_fmadd_ps(acc, half, one); });
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
