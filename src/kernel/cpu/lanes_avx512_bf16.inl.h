// Lanes for AVX-512 with BF16: those of AVX-512, and two vectors rounded to bfloat16 at once.
#pragma once

#include "kernel/cpu/lanes_avx512.inl.h"

namespace heft::kernel {
namespace {

struct Avx512Bf16Lanes : Avx512Lanes {
    // 32 numbers rounded to nearest, ties to even; subnormal numbers become zero.
    static HEFT_INLINE void to_bf16_pair(F low, F high, std::uint16_t* to) {
        _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low));
    }
    // The same, as 16 pairs of one of each.
    static HEFT_INLINE void to_bf16_pairs(F first, F second, std::uint16_t* to) {
        static constexpr std::uint16_t kOrder[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                     21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                     11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
        const auto both = (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
        _mm512_storeu_si512(to, _mm512_permutexvar_epi16(_mm512_loadu_si512(kOrder), both));
    }

    // first, first + 1, …
    static HEFT_INLINE F count(int first) {
        const __m512i lanes =
            _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        return (F)_mm512_cvtepi32_ps(_mm512_add_epi32(lanes, _mm512_set1_epi32(first)));
    }
    static HEFT_INLINE __m512i bf16_table(F low, F high) {
        return (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    }
    // to[i] = table[codes[i] | low] for i < 16, table[codes[i] | high] for the next 16.
    static HEFT_INLINE void look_up(const std::uint8_t* codes, __m512i table, short low, short high,
                                    std::uint16_t* to) {
        const __m512i wide =
            _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(codes)));
        const __m512i places =
            _mm512_inserti64x4(_mm512_set1_epi16(low), _mm256_set1_epi16(high), 1);
        _mm512_storeu_si512(to, _mm512_permutexvar_epi16(_mm512_or_si512(wide, places), table));
    }
    // Of 32 bytes: low[i] = table[low nibble], high[i] = table[16 + high nibble].
    static HEFT_INLINE void look_up_nibbles(const std::uint8_t* bytes, __m512i table,
                                            std::uint16_t* low, std::uint16_t* high) {
        const __m512i wide =
            _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(bytes)));
        const __m512i first = _mm512_and_si512(wide, _mm512_set1_epi16(15));
        const __m512i second = _mm512_or_si512(_mm512_srli_epi16(wide, 4), _mm512_set1_epi16(16));
        _mm512_storeu_si512(low, _mm512_permutexvar_epi16(first, table));
        _mm512_storeu_si512(high, _mm512_permutexvar_epi16(second, table));
    }
};

}  // namespace
}  // namespace heft::kernel
