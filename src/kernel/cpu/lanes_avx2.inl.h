// Lanes for AVX2 with FMA and F16C.
#pragma once

#include <immintrin.h>

#include "kernel/generic/lanes.inl.h"

namespace heft::kernel {
namespace {

struct Avx2Lanes {
    static constexpr int kWidth = 8;
    static constexpr int kAccs = 2;
    static constexpr int kGemmTokens = 3;
    static constexpr int kIntRows = 4;
    static constexpr int kIntTiles = 1;
    static constexpr int kKeyVectors = 2;
    using F = float __attribute__((vector_size(32)));
    using I = std::int32_t __attribute__((vector_size(32)));
    using U = std::uint32_t __attribute__((vector_size(32)));

    static HEFT_INLINE F load(const float* at) { return (F)_mm256_loadu_ps(at); }
    static HEFT_INLINE void store(float* at, F value) { _mm256_storeu_ps(at, (__m256)value); }
    static HEFT_INLINE F set(float value) { return (F)_mm256_set1_ps(value); }
    static HEFT_INLINE I set(std::int32_t value) { return (I)_mm256_set1_epi32(value); }
    static HEFT_INLINE I set_pairs(std::int64_t two) { return (I)_mm256_set1_epi64x(two); }
    static HEFT_INLINE F fma(F a, F b, F c) {
        return (F)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
    }
    static HEFT_INLINE float sum(F v) {
        const __m128 four =
            _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
    static HEFT_INLINE int sum(I v) {
        const __m128i four = _mm_add_epi32(_mm256_castsi256_si128((__m256i)v),
                                           _mm256_extracti128_si256((__m256i)v, 1));
        const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
        return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
    }
    static HEFT_INLINE std::int32_t max(I v) {
        const __m128i four = _mm_max_epi32(_mm256_castsi256_si128((__m256i)v),
                                           _mm256_extracti128_si256((__m256i)v, 1));
        const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
        return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
    }
    static HEFT_INLINE F greater(F a, F b) { return (F)_mm256_max_ps((__m256)a, (__m256)b); }
    static HEFT_INLINE float max(F v) {
        const __m128 four =
            _mm_max_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
        const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
    }
    static HEFT_INLINE F sqrt(F v) { return (F)_mm256_sqrt_ps((__m256)v); }
    static HEFT_INLINE float half(std::uint16_t bits) { return _cvtsh_ss(bits); }
    static HEFT_INLINE F from_f16(const std::uint8_t* at) {
        return (F)_mm256_cvtph_ps(load128(at));
    }
    static HEFT_INLINE void to_f16(F v, std::uint16_t* to) {
        _mm_storeu_si128(reinterpret_cast<__m128i_u*>(to),
                         _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
    }
    static HEFT_INLINE F from_bf16(const std::uint8_t* at) {
        return (F)_mm256_slli_epi32(_mm256_cvtepu16_epi32(load128(at)), 16);
    }
    static HEFT_INLINE F from_u8(const std::uint8_t* at) {
        return (F)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(load64bits(at)));
    }
    static HEFT_INLINE F from_i8(const std::uint8_t* at) {
        return (F)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load64bits(at)));
    }
    template <class To>
    static HEFT_INLINE void narrow(I v, To* to) {
        // Keeps the low bytes of every lane: within 128-bit lanes first, then across.
        constexpr int kSize = sizeof(To);
        const __m256i low =
            kSize == 1
                ? _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0,
                                   4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)
                : _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1,
                                   4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
        const __m256i packed = _mm256_shuffle_epi8((__m256i)v, low);
        const __m128i first = _mm256_castsi256_si128(packed);
        const __m128i second = _mm256_extracti128_si256(packed, 1);
        const __m128i all =
            kSize == 1 ? _mm_unpacklo_epi32(first, second) : _mm_unpacklo_epi64(first, second);
        __builtin_memcpy(to, &all, 8 * kSize);
    }
    static HEFT_INLINE void transpose(const float* from, std::int64_t stride, float* to,
                                      std::int64_t to_stride);

    struct Codes {
        __m256i v[2];
    };

    static HEFT_INLINE Codes pair(const void* a, const void* b) {
        return {{load256(a), load256(b)}};
    }
    static HEFT_INLINE Codes load64(const std::uint8_t* at) { return pair(at, at + 32); }
    static HEFT_INLINE Codes both(const void* at) { return pair(at, at); }
    static HEFT_INLINE void store_codes(std::uint8_t* at, Codes codes) {
        _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(at), codes.v[0]);
        _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(at + 32), codes.v[1]);
    }
    template <int a, int b>
    static HEFT_INLINE Codes bits(Codes codes, char mask) {
        const __m256i masks = _mm256_set1_epi8(mask);
        return {{_mm256_and_si256(_mm256_srli_epi16(codes.v[0], a), masks),
                 _mm256_and_si256(_mm256_srli_epi16(codes.v[1], b), masks)}};
    }
    // low | (from's first half, shifted right by a, second by b, and masked) << to.
    template <int a, int b, int to>
    static HEFT_INLINE Codes merge(Codes low, Codes from, char mask) {
        const __m256i masks = _mm256_set1_epi8(static_cast<char>(mask << to));
        return {{_mm256_or_si256(low.v[0], _mm256_and_si256(moved<to - a>(from.v[0]), masks)),
                 _mm256_or_si256(low.v[1], _mm256_and_si256(moved<to - b>(from.v[1]), masks))}};
    }
    static HEFT_INLINE Codes either(Codes a, Codes b) {
        return {{_mm256_or_si256(a.v[0], b.v[0]), _mm256_or_si256(a.v[1], b.v[1])}};
    }
    static HEFT_INLINE Codes flip(Codes codes, int mask) {
        const __m256i masks = _mm256_set1_epi8(static_cast<char>(mask));
        return {{_mm256_xor_si256(codes.v[0], masks), _mm256_xor_si256(codes.v[1], masks)}};
    }
    template <int zero>
    static HEFT_INLINE Codes less(Codes codes) {
        const __m256i zeros = _mm256_set1_epi8(static_cast<char>(zero));
        return {{_mm256_sub_epi8(codes.v[0], zeros), _mm256_sub_epi8(codes.v[1], zeros)}};
    }
    static HEFT_INLINE Codes nibbles32(const void* at) { return bits<0, 4>(both(at), 15); }
    static HEFT_INLINE Codes nibbles16(const void* a, const void* b) {
        return {{low_and_high(load128(a)), low_and_high(load128(b))}};
    }
    static HEFT_INLINE Codes expand(std::uint64_t set_bits, char value) {
        return {{expand32(static_cast<std::int32_t>(set_bits), value),
                 expand32(static_cast<std::int32_t>(set_bits >> 32), value)}};
    }
    static HEFT_INLINE Codes lut(Codes codes, const std::uint8_t (&table)[16]) {
        const __m256i levels = _mm256_broadcastsi128_si256(load128(table));
        return {{_mm256_shuffle_epi8(levels, codes.v[0]), _mm256_shuffle_epi8(levels, codes.v[1])}};
    }

    struct Groups {
        F v[2];
    };
    struct GroupInts {
        I v[2];
    };

    static HEFT_INLINE GroupInts u8(std::uint64_t low, std::uint64_t high) {
        return {{(I)_mm256_cvtepu8_epi32(word(low)), (I)_mm256_cvtepu8_epi32(word(high))}};
    }
    static HEFT_INLINE GroupInts twice_u8(std::uint64_t bytes) {
        const __m128i all = _mm_unpacklo_epi8(word(bytes), word(bytes));
        return {{(I)_mm256_cvtepu8_epi32(all), (I)_mm256_cvtepu8_epi32(_mm_srli_si128(all, 8))}};
    }
    static HEFT_INLINE GroupInts i8(const std::uint8_t* at) {
        return {
            {(I)_mm256_cvtepi8_epi32(load64bits(at)), (I)_mm256_cvtepi8_epi32(load64bits(at + 8))}};
    }
    static HEFT_INLINE Groups twice_halves(std::uint64_t low, std::uint64_t high) {
        return twice(_mm256_cvtph_ps(_mm_unpacklo_epi64(word(low), word(high))));
    }

    static HEFT_INLINE void turn(Codes (&codes)[4]) {
        unroll<2>([&](auto s) __attribute__((always_inline)) {
            constexpr int kS = s.value;
            const Four turned =
                turn({codes[0].v[kS], codes[1].v[kS], codes[2].v[kS], codes[3].v[kS]});
            unroll<4>([&](auto v) __attribute__((always_inline)) {
                codes[v.value].v[kS] = turned.v[v.value];
            });
        });
    }
    static HEFT_INLINE Groups turn(Groups groups) {
        const __m256i apart = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        const auto a = (__m256)groups.v[0];
        const auto b = (__m256)groups.v[1];
        return {{(F)_mm256_permutevar8x32_ps(_mm256_unpacklo_ps(a, b), apart),
                 (F)_mm256_permutevar8x32_ps(_mm256_unpackhi_ps(a, b), apart)}};
    }
    static constexpr float kHighNibble = 1.0F;
    static HEFT_INLINE void turned_nibbles(const std::uint8_t* at, Codes (&codes)[4]) {
        const Four turned =
            turn({load256(at), load256(at + 32), load256(at + 64), load256(at + 96)});
        unroll<4>([&](auto v) __attribute__((always_inline)) {
            codes[v.value] = bits<0, 4>({{turned.v[v.value], turned.v[v.value]}}, 15);
        });
    }
    static HEFT_INLINE void turned_six_bits(const std::uint8_t* at, float, Groups& scale,
                                            Groups& minimum) {
        const __m128i bytes = load128(at);
        // A scale and its minimum side by side, those of even numbers before those of odd ones:
        // their low bits, then the other two (six_bits).
        const __m128i low = _mm_shuffle_epi8(
            bytes, _mm_setr_epi8(4, 8, 6, 10, 12, 12, 14, 14, 5, 9, 7, 11, 13, 13, 15, 15));
        const __m128i others = _mm_srli_epi16(
            _mm_shuffle_epi8(
                bytes, _mm_setr_epi8(-1, -1, -1, -1, 4, 8, 6, 10, -1, -1, -1, -1, 5, 9, 7, 11)),
            2);
        const __m128i kept = _mm_setr_epi32(0x3f3f3f3f, 0x000f000f, 0x3f3f3f3f, 0x000f000f);
        const __m128i moved = _mm_setr_epi32(0, 0x0f000f00, 0, 0x0f000f00);
        const __m128i pairs = _mm_or_si128(
            _mm_or_si128(_mm_and_si128(low, kept), _mm_and_si128(_mm_srli_epi16(low, 4), moved)),
            _mm_and_si128(others, _mm_set1_epi8(0x30)));
        const __m256 halves = _mm256_cvtph_ps(_mm_set1_epi32(read<std::int32_t>(at)));
        const __m256i scales = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
        const __m256i minima = _mm256_setr_epi32(1, 3, 5, 7, 1, 3, 5, 7);
        const __m128i eight[2] = {pairs, _mm_srli_si128(pairs, 8)};
        unroll<2>([&](auto s) __attribute__((always_inline)) {
            const __m256 both =
                _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight[s.value])), halves);
            scale.v[s.value] = (F)_mm256_permutevar8x32_ps(both, scales);
            minimum.v[s.value] = (F)_mm256_permutevar8x32_ps(both, minima);
        });
    }
    static HEFT_INLINE void alternate(Codes a, Codes b, void* to) {
        auto* at = static_cast<__m256i_u*>(to);
        unroll<2>([&](auto s) __attribute__((always_inline)) {
            const __m256i low = _mm256_unpacklo_epi32(a.v[s.value], b.v[s.value]);
            const __m256i high = _mm256_unpackhi_epi32(a.v[s.value], b.v[s.value]);
            _mm256_storeu_si256(at + 2 * s.value, _mm256_permute2x128_si256(low, high, 0x20));
            _mm256_storeu_si256(at + 2 * s.value + 1, _mm256_permute2x128_si256(low, high, 0x31));
        });
    }
    static HEFT_INLINE void alternate(Groups a, Groups b, float* to) {
        alternate(Codes{{(__m256i)a.v[0], (__m256i)a.v[1]}},
                  Codes{{(__m256i)b.v[0], (__m256i)b.v[1]}}, to);
    }
    static HEFT_INLINE I lanes(Codes codes, int s) { return (I)codes.v[s]; }

    // maddubs multiplies unsigned by signed bytes. Pairs of products are summed in 16 bits for as
    // long as that cannot overflow. Codes of eight bits, signed, lend their sign to the
    // activations: |code| <= 128 and |x| <= 127 keep pairs of products within 16 bits.
    template <int most>
    static constexpr bool kSignedDot = most > 127;
    template <int most>
    struct Dots {
        static constexpr int kSteps = kSignedDot<most> ? 1 : 32767 / (2 * 127 * most);
        __m256i pairs;
        __m256i sums;
        HEFT_INLINE void start(I offset) {
            pairs = _mm256_setzero_si256();
            sums = (__m256i)offset;
        }
        template <int step>
        HEFT_INLINE void add(I codes, I x) {
            auto w = (__m256i)codes;
            auto y = (__m256i)x;
            if constexpr (kSignedDot<most>) {
                y = _mm256_sign_epi8(y, w);
                w = _mm256_abs_epi8(w);
            }
            pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(w, y));
            if constexpr (step % kSteps == kSteps - 1) widen();
        }
        HEFT_INLINE I total() const {
            Dots all = *this;
            all.widen();
            return (I)all.sums;
        }

      private:
        HEFT_INLINE void widen() {
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
            pairs = _mm256_setzero_si256();
        }
    };

  private:
    struct Four {
        __m256i v[4];
    };
    // 4 x 4 words of 32 bits, in both halves.
    static HEFT_INLINE Four turn(Four f) {
        const __m256i low01 = _mm256_unpacklo_epi32(f.v[0], f.v[1]);
        const __m256i high01 = _mm256_unpackhi_epi32(f.v[0], f.v[1]);
        const __m256i low23 = _mm256_unpacklo_epi32(f.v[2], f.v[3]);
        const __m256i high23 = _mm256_unpackhi_epi32(f.v[2], f.v[3]);
        return {{_mm256_unpacklo_epi64(low01, low23), _mm256_unpackhi_epi64(low01, low23),
                 _mm256_unpacklo_epi64(high01, high23), _mm256_unpackhi_epi64(high01, high23)}};
    }
    template <int left>
    static HEFT_INLINE __m256i moved(__m256i v) {
        if constexpr (left < 0)
            return _mm256_srli_epi16(v, -left);
        else
            return _mm256_slli_epi16(v, left);
    }
    static HEFT_INLINE __m256i load256(const void* at) {
        return _mm256_loadu_si256(static_cast<const __m256i_u*>(at));
    }
    static HEFT_INLINE __m128i load128(const void* at) {
        return _mm_loadu_si128(static_cast<const __m128i_u*>(at));
    }
    static HEFT_INLINE __m128i load64bits(const void* at) { return word(read<std::uint64_t>(at)); }
    static HEFT_INLINE __m128i word(std::uint64_t bits) {
        return _mm_cvtsi64_si128(static_cast<std::int64_t>(bits));
    }
    static HEFT_INLINE __m256i low_and_high(__m128i bytes) {
        const __m256i all =
            _mm256_inserti128_si256(_mm256_castsi128_si256(bytes), _mm_srli_epi16(bytes, 4), 1);
        return _mm256_and_si256(all, _mm256_set1_epi8(15));
    }
    static HEFT_INLINE __m256i expand32(std::int32_t set_bits, char value) {
        const __m256i bytes = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
                                               2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
        const __m256i bit = _mm256_set1_epi64x(static_cast<std::int64_t>(0x8040201008040201U));
        const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(set_bits), bytes);
        const __m256i is_set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
        return _mm256_and_si256(is_set, _mm256_set1_epi8(value));
    }
    static HEFT_INLINE Groups twice(__m256 v) {
        return {{(F)_mm256_permutevar8x32_ps(v, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3)),
                 (F)_mm256_permutevar8x32_ps(v, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7))}};
    }
};

// 8 x 8: pairs, then fours within 128-bit lanes, then the lanes themselves.
HEFT_INLINE void Avx2Lanes::transpose(const float* from, std::int64_t stride, float* to,
                                      std::int64_t to_stride) {
    __m256 a[8];
    __m256 b[8];
    unroll<8>([&](auto i) __attribute__((always_inline)) {
        a[i.value] = _mm256_loadu_ps(from + i.value * stride);
    });
    unroll<4>([&](auto i) __attribute__((always_inline)) {
        constexpr int kI = 2 * i.value;
        b[kI] = _mm256_unpacklo_ps(a[kI], a[kI + 1]);
        b[kI + 1] = _mm256_unpackhi_ps(a[kI], a[kI + 1]);
    });
    unroll<2>([&](auto i) __attribute__((always_inline)) {
        constexpr int kI = 4 * i.value;
        a[kI] = _mm256_shuffle_ps(b[kI], b[kI + 2], 0x44);
        a[kI + 1] = _mm256_shuffle_ps(b[kI], b[kI + 2], 0xee);
        a[kI + 2] = _mm256_shuffle_ps(b[kI + 1], b[kI + 3], 0x44);
        a[kI + 3] = _mm256_shuffle_ps(b[kI + 1], b[kI + 3], 0xee);
    });
    unroll<4>([&](auto c) __attribute__((always_inline)) {
        constexpr int kC = c.value;
        _mm256_storeu_ps(to + kC * to_stride, _mm256_permute2f128_ps(a[kC], a[kC + 4], 0x20));
        _mm256_storeu_ps(to + (kC + 4) * to_stride, _mm256_permute2f128_ps(a[kC], a[kC + 4], 0x31));
    });
}

}  // namespace
}  // namespace heft::kernel
