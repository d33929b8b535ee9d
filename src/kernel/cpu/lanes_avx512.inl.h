// Lanes for AVX-512 F, BW, DQ, VL with VNNI.
#pragma once

#include <immintrin.h>

#include "kernel/generic/lanes.inl.h"

namespace heft::kernel {
namespace {

struct Avx512Lanes {
    static constexpr int kWidth = 16;
    static constexpr int kAccs = 4;
    static constexpr int kGemmTokens = 12;
    static constexpr int kIntRows = 8;
    static constexpr int kIntTiles = 2;
    static constexpr int kKeyVectors = 4;
    using F = float __attribute__((vector_size(64)));
    using I = std::int32_t __attribute__((vector_size(64)));
    using U = std::uint32_t __attribute__((vector_size(64)));

    static HEFT_INLINE F load(const float* at) { return (F)_mm512_loadu_ps(at); }
    static HEFT_INLINE void store(float* at, F value) { _mm512_storeu_ps(at, (__m512)value); }
    static HEFT_INLINE F set(float value) { return (F)_mm512_set1_ps(value); }
    static HEFT_INLINE I set(std::int32_t value) { return (I)_mm512_set1_epi32(value); }
    static HEFT_INLINE I set_pairs(std::int64_t two) { return (I)_mm512_set1_epi64(two); }
    static HEFT_INLINE F fma(F a, F b, F c) {
        return (F)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
    }
    static HEFT_INLINE float sum(F v) { return _mm512_reduce_add_ps((__m512)v); }
    static HEFT_INLINE int sum(I v) { return _mm512_reduce_add_epi32((__m512i)v); }
    static HEFT_INLINE std::int32_t max(I v) { return _mm512_reduce_max_epi32((__m512i)v); }
    static HEFT_INLINE F greater(F a, F b) { return (F)_mm512_max_ps((__m512)a, (__m512)b); }
    static HEFT_INLINE float max(F v) { return _mm512_reduce_max_ps((__m512)v); }
    static HEFT_INLINE F sqrt(F v) { return (F)_mm512_sqrt_ps((__m512)v); }
    static HEFT_INLINE float half(std::uint16_t bits) { return _cvtsh_ss(bits); }
    static HEFT_INLINE F from_f16(const std::uint8_t* at) {
        return (F)_mm512_cvtph_ps(load256(at));
    }
    static HEFT_INLINE void to_f16(F v, std::uint16_t* to) {
        _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(to),
                            _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT));
    }
    static HEFT_INLINE F from_bf16(const std::uint8_t* at) {
        return (F)_mm512_slli_epi32(_mm512_cvtepu16_epi32(load256(at)), 16);
    }
    static HEFT_INLINE F from_u8(const std::uint8_t* at) {
        return (F)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(load128(at)));
    }
    static HEFT_INLINE F from_i8(const std::uint8_t* at) {
        return (F)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load128(at)));
    }
    static HEFT_INLINE void narrow(I v, std::int8_t* to) {
        store128(to, _mm512_cvtepi32_epi8((__m512i)v));
    }
    static HEFT_INLINE void narrow(I v, std::uint16_t* to) {
        _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(to), _mm512_cvtepi32_epi16((__m512i)v));
    }
    static HEFT_INLINE void transpose(const float* from, std::int64_t stride, float* to,
                                      std::int64_t to_stride);

    struct Codes {
        __m512i v;
    };

    static HEFT_INLINE Codes load64(const void* at) { return {_mm512_loadu_si512(at)}; }
    static HEFT_INLINE Codes pair(const void* a, const void* b) {
        return {_mm512_inserti64x4(_mm512_castsi256_si512(load256(a)), load256(b), 1)};
    }
    static HEFT_INLINE Codes both(const void* at) { return {_mm512_broadcast_i64x4(load256(at))}; }
    static HEFT_INLINE void store_codes(std::uint8_t* at, Codes codes) {
        _mm512_storeu_si512(at, codes.v);
    }
    template <int a, int b>
    static HEFT_INLINE Codes bits(Codes codes, char mask) {
        if constexpr (a == b) {
            if constexpr (a != 0) codes.v = _mm512_srli_epi16(codes.v, a);
        } else {
            const __m512i counts =
                _mm512_inserti64x4(_mm512_set1_epi64(a), _mm256_set1_epi64x(b), 1);
            codes.v = _mm512_srlv_epi64(codes.v, counts);
        }
        return {_mm512_and_si512(codes.v, _mm512_set1_epi8(mask))};
    }
    // low | (from's first half, shifted right by a, second by b, and masked) << to.
    template <int a, int b, int to>
    static HEFT_INLINE Codes merge(Codes low, Codes from, char mask) {
        const __m512i masks = _mm512_set1_epi8(static_cast<char>(mask << to));
        if constexpr (a == b) {
            if constexpr (to != a) from.v = _mm512_rol_epi64(from.v, (64 + to - a) % 64);
        } else {
            const __m512i counts = _mm512_inserti64x4(_mm512_set1_epi64((64 + to - a) % 64),
                                                      _mm256_set1_epi64x((64 + to - b) % 64), 1);
            from.v = _mm512_rolv_epi64(from.v, counts);
        }
        return {_mm512_ternarylogic_epi64(low.v, from.v, masks, kOrAnd)};
    }
    static HEFT_INLINE Codes either(Codes a, Codes b) { return {_mm512_or_si512(a.v, b.v)}; }
    static HEFT_INLINE Codes flip(Codes codes, int mask) {
        return {_mm512_xor_si512(codes.v, _mm512_set1_epi8(static_cast<char>(mask)))};
    }
    template <int zero>
    static HEFT_INLINE Codes less(Codes codes) {
        return {_mm512_sub_epi8(codes.v, _mm512_set1_epi8(static_cast<char>(zero)))};
    }
    static HEFT_INLINE Codes nibbles32(const void* at) { return bits<0, 4>(both(at), 15); }
    static HEFT_INLINE Codes nibbles16(const void* a, const void* b) {
        // 128-bit lanes: a, a, b, b; the odd ones shifted.
        const __m256i packed =
            _mm256_inserti128_si256(_mm256_castsi128_si256(load128(a)), load128(b), 1);
        const __m512i lanes = _mm512_permutex_epi64(_mm512_castsi256_si512(packed), 0x44);
        const __m512i all = _mm512_inserti64x4(lanes, _mm256_permute4x64_epi64(packed, 0xee), 1);
        const __m512i counts = _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0);
        return {_mm512_and_si512(_mm512_srlv_epi64(all, counts), _mm512_set1_epi8(15))};
    }
    static HEFT_INLINE Codes expand(std::uint64_t set_bits, char value) {
        return {_mm512_maskz_set1_epi8(set_bits, value)};
    }
    static HEFT_INLINE Codes lut(Codes codes, const std::uint8_t (&table)[16]) {
        return {_mm512_shuffle_epi8(_mm512_broadcast_i32x4(load128(table)), codes.v)};
    }

    struct Groups {
        F v[1];
    };
    struct GroupInts {
        I v[1];
    };

    static HEFT_INLINE GroupInts u8(std::uint64_t low, std::uint64_t high) {
        const __m128i bytes =
            _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low));
        return {{(I)_mm512_cvtepu8_epi32(bytes)}};
    }
    static HEFT_INLINE GroupInts twice_u8(std::uint64_t bytes) {
        const __m128i all = word(bytes);
        return {{(I)_mm512_cvtepu8_epi32(_mm_unpacklo_epi8(all, all))}};
    }
    static HEFT_INLINE GroupInts i8(const std::uint8_t* at) {
        return {{(I)_mm512_cvtepi8_epi32(load128(at))}};
    }
    static HEFT_INLINE Groups twice_halves(std::uint64_t low, std::uint64_t high) {
        return {{twice(_mm256_cvtph_ps(
            _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low))))}};
    }

    static HEFT_INLINE void turn(Codes (&codes)[4]) {
        const __m512i low01 = _mm512_unpacklo_epi32(codes[0].v, codes[1].v);
        const __m512i high01 = _mm512_unpackhi_epi32(codes[0].v, codes[1].v);
        const __m512i low23 = _mm512_unpacklo_epi32(codes[2].v, codes[3].v);
        const __m512i high23 = _mm512_unpackhi_epi32(codes[2].v, codes[3].v);
        codes[0].v = _mm512_unpacklo_epi64(low01, low23);
        codes[1].v = _mm512_unpackhi_epi64(low01, low23);
        codes[2].v = _mm512_unpacklo_epi64(high01, high23);
        codes[3].v = _mm512_unpackhi_epi64(high01, high23);
    }
    static HEFT_INLINE Groups turn(Groups groups) {
        const __m512i turned =
            _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        return {{(F)_mm512_permutexvar_ps(turned, (__m512)groups.v[0])}};
    }
    // Lanes 4g + j hold 16 codes of row j: the first or second half of its bytes, low nibbles
    // before high ones, which stay where they are, as 16 times the code.
    static constexpr float kHighNibble = 1.0F / 16;
    static HEFT_INLINE void turned_nibbles(const std::uint8_t* at, Codes (&codes)[4]) {
        const __m512i first = _mm512_loadu_si512(at);
        const __m512i second = _mm512_loadu_si512(at + 64);
        const __m512i words =
            _mm512_setr_epi32(0, 8, 16, 24, 4, 12, 20, 28, 0, 8, 16, 24, 4, 12, 20, 28);
        const __m512i masks = _mm512_inserti64x4(_mm512_set1_epi8(static_cast<char>(0xf0)),
                                                 _mm256_set1_epi8(0x0f), 0);
        unroll<4>([&](auto v) __attribute__((always_inline)) {
            const __m512i index = _mm512_add_epi32(words, _mm512_set1_epi32(v.value));
            codes[v.value].v =
                _mm512_and_si512(_mm512_permutex2var_epi32(first, index, second), masks);
        });
    }
    static HEFT_INLINE void turned_six_bits(const std::uint8_t* at, float high, Groups& scale,
                                            Groups& minimum) {
        const __m128i bytes = load128(at);
        // A scale and its minimum side by side: their low bits, then the other two (six_bits).
        const __m128i low = _mm_shuffle_epi8(
            bytes, _mm_setr_epi8(4, 8, 5, 9, 6, 10, 7, 11, 12, -1, 13, -1, 14, -1, 15, -1));
        const __m128i moved = _mm_sllv_epi16(low, _mm_setr_epi16(0, 0, 0, 0, 4, 4, 4, 4));
        const __m128i kept = _mm_setr_epi32(0x3f3f3f3f, 0x3f3f3f3f, 0x0f0f0f0f, 0x0f0f0f0f);
        const __m128i others = _mm_srli_epi16(
            _mm_shuffle_epi8(
                bytes, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 4, 8, 5, 9, 6, 10, 7, 11)),
            2);
        const __m128i pairs =
            _mm_ternarylogic_epi32(_mm_ternarylogic_epi32(low, moved, kept, kAndOfOr), others,
                                   _mm_set1_epi8(0x30), kOrAnd);
        const __m512 halves = _mm512_cvtph_ps(_mm256_set1_epi32(read<std::int32_t>(at)));
        const __m512 factors = _mm512_mul_ps(
            halves, _mm512_setr_ps(1, 1, high, 1, 1, 1, high, 1, 1, 1, high, 1, 1, 1, high, 1));
        const __m512 both = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(pairs)), factors);
        const __m512i scales =
            _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 2, 6, 10, 14, 2, 6, 10, 14);
        const __m512i minima =
            _mm512_setr_epi32(1, 5, 9, 13, 1, 5, 9, 13, 3, 7, 11, 15, 3, 7, 11, 15);
        scale.v[0] = (F)_mm512_permutexvar_ps(scales, both);
        minimum.v[0] = (F)_mm512_permutexvar_ps(minima, both);
    }
    static HEFT_INLINE void alternate(Codes a, Codes b, void* to) {
        const __m512i low =
            _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
        _mm512_storeu_si512(to, _mm512_permutex2var_epi32(a.v, low, b.v));
        _mm512_storeu_si512(static_cast<char*>(to) + 64, _mm512_permutex2var_epi32(a.v, high, b.v));
    }
    static HEFT_INLINE void alternate(Groups a, Groups b, float* to) {
        alternate(Codes{(__m512i)a.v[0]}, Codes{(__m512i)b.v[0]}, to);
    }
    static HEFT_INLINE I lanes(Codes codes, int) { return (I)codes.v; }

    template <int most>
    static constexpr bool kSignedDot = false;
    template <int most>
    struct Dots {
        I sums;
        HEFT_INLINE void start(I offset) { sums = offset; }
        template <int step>
        HEFT_INLINE void add(I codes, I x) {
            sums = (I)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)codes, (__m512i)x);
        }
        HEFT_INLINE I total() const { return sums; }
    };

  private:
    // Of _mm_ternarylogic: (a | b) & c and a | (b & c).
    static constexpr int kAndOfOr = 0xa8;
    static constexpr int kOrAnd = 0xf8;
    static HEFT_INLINE __m128i word(std::uint64_t bits) {
        return _mm_cvtsi64_si128(static_cast<std::int64_t>(bits));
    }

    static HEFT_INLINE __m256i load256(const void* at) {
        return _mm256_loadu_si256(static_cast<const __m256i_u*>(at));
    }
    static HEFT_INLINE __m128i load128(const void* at) {
        return _mm_loadu_si128(static_cast<const __m128i_u*>(at));
    }
    static HEFT_INLINE void store128(void* at, __m128i value) {
        _mm_storeu_si128(static_cast<__m128i_u*>(at), value);
    }
    static HEFT_INLINE F twice(__m256 v) {
        const __m512i each = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
        return (F)_mm512_permutexvar_ps(each, _mm512_castps256_ps512(v));
    }
};

// 16 x 16: pairs, then fours within 128-bit lanes, then the lanes themselves.
HEFT_INLINE void Avx512Lanes::transpose(const float* from, std::int64_t stride, float* to,
                                        std::int64_t to_stride) {
    __m512 a[16];
    __m512 b[16];
    unroll<16>([&](auto i) __attribute__((always_inline)) {
        a[i.value] = _mm512_loadu_ps(from + i.value * stride);
    });
    unroll<8>([&](auto i) __attribute__((always_inline)) {
        constexpr int kI = 2 * i.value;
        b[kI] = _mm512_unpacklo_ps(a[kI], a[kI + 1]);
        b[kI + 1] = _mm512_unpackhi_ps(a[kI], a[kI + 1]);
    });
    unroll<4>([&](auto i) __attribute__((always_inline)) {
        constexpr int kI = 4 * i.value;
        a[kI] = _mm512_shuffle_ps(b[kI], b[kI + 2], 0x44);
        a[kI + 1] = _mm512_shuffle_ps(b[kI], b[kI + 2], 0xee);
        a[kI + 2] = _mm512_shuffle_ps(b[kI + 1], b[kI + 3], 0x44);
        a[kI + 3] = _mm512_shuffle_ps(b[kI + 1], b[kI + 3], 0xee);
    });
    unroll<4>([&](auto c) __attribute__((always_inline)) {
        constexpr int kC = c.value;
        const __m512 even_low = _mm512_shuffle_f32x4(a[kC], a[kC + 4], 0x88);
        const __m512 odd_low = _mm512_shuffle_f32x4(a[kC], a[kC + 4], 0xdd);
        const __m512 even_high = _mm512_shuffle_f32x4(a[kC + 8], a[kC + 12], 0x88);
        const __m512 odd_high = _mm512_shuffle_f32x4(a[kC + 8], a[kC + 12], 0xdd);
        _mm512_storeu_ps(to + kC * to_stride, _mm512_shuffle_f32x4(even_low, even_high, 0x88));
        _mm512_storeu_ps(to + (kC + 4) * to_stride, _mm512_shuffle_f32x4(odd_low, odd_high, 0x88));
        _mm512_storeu_ps(to + (kC + 8) * to_stride,
                         _mm512_shuffle_f32x4(even_low, even_high, 0xdd));
        _mm512_storeu_ps(to + (kC + 12) * to_stride, _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd));
    });
}

}  // namespace
}  // namespace heft::kernel
