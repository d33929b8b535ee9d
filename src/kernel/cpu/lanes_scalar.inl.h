// Lanes for any machine: vectors of four floats, which compilers know how to spell everywhere, and
// plain loops over bytes.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "tensor/half.h"

namespace heft::kernel {
namespace {

struct ScalarLanes {
    static constexpr int kWidth = 4;
    static constexpr int kAccs = 2;
    static constexpr int kGemmTokens = 1;
    using F = float __attribute__((vector_size(16)));
    using I = std::int32_t __attribute__((vector_size(16)));
    using U = std::uint32_t __attribute__((vector_size(16)));

    static HEFT_INLINE F load(const float* at) { return read<F>(at); }
    static HEFT_INLINE void store(float* at, F value) { __builtin_memcpy(at, &value, sizeof value); }
    static HEFT_INLINE F set(float value) { return F{value, value, value, value}; }
    static HEFT_INLINE F fma(F a, F b, F c) { return a * b + c; }
    static HEFT_INLINE float sum(F v) { return (v[0] + v[2]) + (v[1] + v[3]); }
    static HEFT_INLINE int sum(I v) { return v[0] + v[1] + v[2] + v[3]; }
    static HEFT_INLINE std::int32_t max(I v) {
        std::int32_t most = v[0];
        for (int i = 1; i < kWidth; ++i) most = v[i] > most ? v[i] : most;
        return most;
    }
    static HEFT_INLINE F sqrt(F v) {
        for (int i = 0; i < kWidth; ++i) v[i] = __builtin_sqrtf(v[i]);
        return v;
    }
    static HEFT_INLINE float half(std::uint16_t bits) { return heft::from_f16(bits); }
    static HEFT_INLINE F from_f16(const std::uint8_t* at) {
        F out{};
        for (int i = 0; i < kWidth; ++i) out[i] = heft::from_f16(read<std::uint16_t>(at + 2 * i));
        return out;
    }
    static HEFT_INLINE F from_bf16(const std::uint8_t* at) {
        F out{};
        for (int i = 0; i < kWidth; ++i) out[i] = heft::from_bf16(read<std::uint16_t>(at + 2 * i));
        return out;
    }
    static HEFT_INLINE F from_u8(const std::uint8_t* at) {
        F out{};
        for (int i = 0; i < kWidth; ++i) out[i] = static_cast<float>(at[i]);
        return out;
    }
    template <class To>
    static HEFT_INLINE void narrow(I v, To* to) {
        for (int i = 0; i < kWidth; ++i) to[i] = static_cast<To>(v[i]);
    }
    static HEFT_INLINE void transpose(const float* from, std::int64_t stride, float* to,
                                      std::int64_t to_stride) {
        for (int r = 0; r < kWidth; ++r)
            for (int c = 0; c < kWidth; ++c) to[c * to_stride + r] = from[r * stride + c];
    }

    struct Codes {
        std::uint8_t v[64];
    };

    static HEFT_INLINE Codes pair(const void* a, const void* b) {
        Codes out{};
        __builtin_memcpy(out.v, a, 32);
        __builtin_memcpy(out.v + 32, b, 32);
        return out;
    }
    static HEFT_INLINE Codes load64(const void* at) { return read<Codes>(at); }
    static HEFT_INLINE Codes both(const void* at) { return pair(at, at); }
    static HEFT_INLINE void store_codes(std::uint8_t* at, const Codes& codes) {
        __builtin_memcpy(at, codes.v, 64);
    }
    // The first half shifted right by a, the second by b, and masked.
    template <int a, int b>
    static HEFT_INLINE Codes bits(Codes codes, std::uint8_t mask) {
        for (int i = 0; i < 32; ++i) codes.v[i] = static_cast<std::uint8_t>(codes.v[i] >> a & mask);
        for (int i = 32; i < 64; ++i) codes.v[i] = static_cast<std::uint8_t>(codes.v[i] >> b & mask);
        return codes;
    }
    template <int count>
    static HEFT_INLINE Codes shl(Codes codes) {
        for (auto& code : codes.v) code = static_cast<std::uint8_t>(code << count);
        return codes;
    }
    static HEFT_INLINE Codes either(Codes a, const Codes& b) {
        for (int i = 0; i < 64; ++i) a.v[i] = static_cast<std::uint8_t>(a.v[i] | b.v[i]);
        return a;
    }
    static HEFT_INLINE Codes flip(Codes codes, std::uint8_t mask) {
        for (auto& code : codes.v) code = static_cast<std::uint8_t>(code ^ mask);
        return codes;
    }
    static HEFT_INLINE Codes nibbles32(const void* at) { return bits<0, 4>(both(at), 15); }
    static HEFT_INLINE Codes nibbles16(const std::uint8_t* a, const std::uint8_t* b) {
        Codes out{};
        for (int i = 0; i < 16; ++i) {
            out.v[i] = a[i] & 15;
            out.v[i + 16] = static_cast<std::uint8_t>(a[i] >> 4);
            out.v[i + 32] = b[i] & 15;
            out.v[i + 48] = static_cast<std::uint8_t>(b[i] >> 4);
        }
        return out;
    }
    // `value` where the bit is set, else 0.
    static HEFT_INLINE Codes expand(std::uint64_t set_bits, std::uint8_t value) {
        Codes out{};
        for (int i = 0; i < 64; ++i) out.v[i] = (set_bits >> i & 1U) != 0 ? value : std::uint8_t{0};
        return out;
    }
    static HEFT_INLINE Codes lut(Codes codes, const std::uint8_t (&table)[16]) {
        for (auto& code : codes.v) code = table[code & 15];
        return codes;
    }

    struct Groups {
        F v[4];
    };
    struct GroupInts {
        I v[4];
    };

    static HEFT_INLINE GroupInts u8(std::uint64_t low, std::uint64_t high) {
        GroupInts out{};
        for (int i = 0; i < 8; ++i) {
            out.v[i / 4][i % 4] = static_cast<std::int32_t>(low >> (8 * i) & 255U);
            out.v[2 + i / 4][i % 4] = static_cast<std::int32_t>(high >> (8 * i) & 255U);
        }
        return out;
    }
    static HEFT_INLINE GroupInts twice_u8(std::uint64_t bytes) {
        GroupInts out{};
        for (int i = 0; i < 16; ++i)
            out.v[i / 4][i % 4] = static_cast<std::int32_t>(bytes >> (i / 2 * 8) & 255U);
        return out;
    }
    static HEFT_INLINE GroupInts i8(const std::uint8_t* at) {
        GroupInts out{};
        for (int i = 0; i < 16; ++i) out.v[i / 4][i % 4] = static_cast<std::int8_t>(at[i]);
        return out;
    }
    static HEFT_INLINE GroupInts i16(const std::int16_t* at) {
        GroupInts out{};
        for (int i = 0; i < 16; ++i) out.v[i / 4][i % 4] = at[i];
        return out;
    }
    static HEFT_INLINE Groups twice_floats(const float* at) {
        Groups out{};
        for (int i = 0; i < 16; ++i) out.v[i / 4][i % 4] = at[i / 2];
        return out;
    }
    static HEFT_INLINE Groups twice_halves(std::uint64_t low, std::uint64_t high) {
        float halves[8];
        for (int i = 0; i < 4; ++i) {
            halves[i] = heft::from_f16(static_cast<std::uint16_t>(low >> (16 * i)));
            halves[i + 4] = heft::from_f16(static_cast<std::uint16_t>(high >> (16 * i)));
        }
        return twice_floats(halves);
    }

    // Adds 64 products to acc: the integer sums of four groups, each times its scale.
    template <int j, int zero>
    static HEFT_INLINE void dot64(const Codes& codes, const std::int8_t* x, const Groups& scale,
                                  const GroupInts& offset, F* acc) {
        I sums = offset.v[j];
        for (int g = 0; g < 4; ++g)
            for (int i = 16 * g; i < 16 * g + 16; ++i) sums[g] += codes.v[i] * x[i];
        acc[j & 1] += __builtin_convertvector(sums, F) * scale.v[j];
    }
};

}  // namespace
}  // namespace heft::kernel
