// Lanes for any machine: vectors of four floats, which compilers know how to spell everywhere, and
// plain loops over bytes.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "tensor/half.h"

// These loops are for being right, not fast: called, not inlined into every format's walk.
#define HEFT_CALL __attribute__((noinline))

namespace heft::kernel {
namespace {

struct ScalarLanes {
    static constexpr int kWidth = 4;
    static constexpr int kAccs = 2;
    static constexpr int kGemmTokens = 1;
    static constexpr int kIntRows = 1;
    static constexpr int kIntTiles = 1;
    static constexpr int kKeyVectors = 2;
    using F = float __attribute__((vector_size(16)));
    using I = std::int32_t __attribute__((vector_size(16)));
    using U = std::uint32_t __attribute__((vector_size(16)));

    static F load(const float* at) { return read<F>(at); }
    static void store(float* at, F value) { __builtin_memcpy(at, &value, sizeof value); }
    static F set(float value) { return F{value, value, value, value}; }
    static I set(std::int32_t value) { return I{value, value, value, value}; }
    static I set_pairs(std::int64_t two) {
        const auto first = static_cast<std::int32_t>(two);
        const auto second = static_cast<std::int32_t>(two >> 32);
        return I{first, second, first, second};
    }
    static F fma(F a, F b, F c) { return a * b + c; }
    static float sum(F v) { return (v[0] + v[2]) + (v[1] + v[3]); }
    static int sum(I v) { return v[0] + v[1] + v[2] + v[3]; }
    static std::int32_t max(I v) {
        std::int32_t most = v[0];
        for (int i = 1; i < kWidth; ++i) most = v[i] > most ? v[i] : most;
        return most;
    }
    static F greater(F a, F b) { return select<ScalarLanes>((I)(a > b), a, b); }
    static float max(F v) {
        float most = v[0];
        for (int i = 1; i < kWidth; ++i) most = v[i] > most ? v[i] : most;
        return most;
    }
    static F sqrt(F v) {
        for (int i = 0; i < kWidth; ++i) v[i] = __builtin_sqrtf(v[i]);
        return v;
    }
    static float half(std::uint16_t bits) { return heft::from_f16(bits); }
    static F from_f16(const std::uint8_t* at) {
        F out{};
        for (int i = 0; i < kWidth; ++i) out[i] = heft::from_f16(read<std::uint16_t>(at + 2 * i));
        return out;
    }
    static void to_f16(F v, std::uint16_t* to) {
        for (int i = 0; i < kWidth; ++i) to[i] = heft::to_f16(v[i]);
    }
    static F from_bf16(const std::uint8_t* at) {
        F out{};
        for (int i = 0; i < kWidth; ++i) out[i] = heft::from_bf16(read<std::uint16_t>(at + 2 * i));
        return out;
    }
    static F from_u8(const std::uint8_t* at) {
        F out{};
        for (int i = 0; i < kWidth; ++i) out[i] = static_cast<float>(at[i]);
        return out;
    }
    static F from_i8(const std::uint8_t* at) {
        F out{};
        // NOLINTNEXTLINE(bugprone-signed-char-misuse): these are signed numbers, not characters
        for (int i = 0; i < kWidth; ++i)
            out[i] = static_cast<float>(static_cast<std::int8_t>(at[i]));
        return out;
    }
    template <class To>
    static void narrow(I v, To* to) {
        for (int i = 0; i < kWidth; ++i) to[i] = static_cast<To>(v[i]);
    }
    static void transpose(const float* from, std::int64_t stride, float* to,
                          std::int64_t to_stride) {
        for (int r = 0; r < kWidth; ++r)
            for (int c = 0; c < kWidth; ++c) to[c * to_stride + r] = from[r * stride + c];
    }

    struct Codes {
        std::uint8_t v[64];
    };

    static HEFT_CALL Codes pair(const void* a, const void* b) {
        Codes out{};
        __builtin_memcpy(out.v, a, 32);
        __builtin_memcpy(out.v + 32, b, 32);
        return out;
    }
    static HEFT_CALL Codes load64(const void* at) { return read<Codes>(at); }
    static HEFT_CALL Codes both(const void* at) { return pair(at, at); }
    static HEFT_CALL void store_codes(std::uint8_t* at, const Codes& codes) {
        __builtin_memcpy(at, codes.v, 64);
    }
    // The first half shifted right by a, the second by b, and masked.
    template <int a, int b>
    static HEFT_CALL Codes bits(Codes codes, std::uint8_t mask) {
        for (int i = 0; i < 32; ++i) codes.v[i] = static_cast<std::uint8_t>(codes.v[i] >> a & mask);
        for (int i = 32; i < 64; ++i)
            codes.v[i] = static_cast<std::uint8_t>(codes.v[i] >> b & mask);
        return codes;
    }
    // low | (from's first half, shifted right by a, second by b, and masked) << to.
    template <int a, int b, int to>
    static HEFT_CALL Codes merge(const Codes& low, const Codes& from, std::uint8_t mask) {
        Codes out = bits<a, b>(from, mask);
        for (auto& code : out.v) code = static_cast<std::uint8_t>(code << to);
        return either(out, low);
    }
    static HEFT_CALL Codes either(Codes a, const Codes& b) {
        for (int i = 0; i < 64; ++i) a.v[i] = static_cast<std::uint8_t>(a.v[i] | b.v[i]);
        return a;
    }
    static HEFT_CALL Codes flip(Codes codes, std::uint8_t mask) {
        for (auto& code : codes.v) code = static_cast<std::uint8_t>(code ^ mask);
        return codes;
    }
    template <int zero>
    static HEFT_CALL Codes less(Codes codes) {
        for (auto& code : codes.v) code = static_cast<std::uint8_t>(code - zero);
        return codes;
    }
    static HEFT_CALL Codes nibbles32(const void* at) { return bits<0, 4>(both(at), 15); }
    static HEFT_CALL Codes nibbles16(const std::uint8_t* a, const std::uint8_t* b) {
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
    static HEFT_CALL Codes expand(std::uint64_t set_bits, std::uint8_t value) {
        Codes out{};
        for (int i = 0; i < 64; ++i) out.v[i] = (set_bits >> i & 1U) != 0 ? value : std::uint8_t{0};
        return out;
    }
    static HEFT_CALL Codes lut(Codes codes, const std::uint8_t (&table)[16]) {
        for (auto& code : codes.v) code = table[code & 15];
        return codes;
    }

    struct Groups {
        F v[4];
    };
    struct GroupInts {
        I v[4];
    };

    static HEFT_CALL GroupInts u8(std::uint64_t low, std::uint64_t high) {
        GroupInts out{};
        for (int i = 0; i < 8; ++i) {
            out.v[i / 4][i % 4] = static_cast<std::int32_t>(low >> (8 * i) & 255U);
            out.v[2 + i / 4][i % 4] = static_cast<std::int32_t>(high >> (8 * i) & 255U);
        }
        return out;
    }
    static HEFT_CALL GroupInts twice_u8(std::uint64_t bytes) {
        GroupInts out{};
        for (int i = 0; i < 16; ++i)
            out.v[i / 4][i % 4] = static_cast<std::int32_t>(bytes >> (i / 2 * 8) & 255U);
        return out;
    }
    static HEFT_CALL GroupInts i8(const std::uint8_t* at) {
        GroupInts out{};
        // NOLINTNEXTLINE(bugprone-signed-char-misuse): these are signed numbers, not characters
        for (int i = 0; i < 16; ++i) out.v[i / 4][i % 4] = static_cast<std::int8_t>(at[i]);
        return out;
    }
    static HEFT_CALL Groups twice_floats(const float* at) {
        Groups out{};
        for (int i = 0; i < 16; ++i) out.v[i / 4][i % 4] = at[i / 2];
        return out;
    }
    static HEFT_CALL Groups twice_halves(std::uint64_t low, std::uint64_t high) {
        float halves[8];
        for (int i = 0; i < 4; ++i) {
            halves[i] = heft::from_f16(static_cast<std::uint16_t>(low >> (16 * i)));
            halves[i + 4] = heft::from_f16(static_cast<std::uint16_t>(high >> (16 * i)));
        }
        return twice_floats(halves);
    }

    template <int most>
    static constexpr bool kSignedDot = false;
    template <int most>
    struct Dots {
        I sums;
        void start(I offset) { sums = offset; }
        template <int step>
        void add(I codes, I x) {
            for (int i = 0; i < kWidth; ++i)
                for (int byte = 0; byte < 32; byte += 8)
                    sums[i] += static_cast<std::uint8_t>(codes[i] >> byte)
                               * static_cast<std::int8_t>(x[i] >> byte);
        }
        I total() const { return sums; }
    };

    static HEFT_CALL void turn(Codes (&codes)[4]) {
        Codes out[4];
        for (int lane = 0; lane < 16; ++lane)
            for (int v = 0; v < 4; ++v)
                __builtin_memcpy(out[v].v + 4 * lane, codes[lane % 4].v + 16 * (lane / 4) + 4 * v,
                                 4);
        __builtin_memcpy(codes, out, sizeof out);
    }
    static HEFT_CALL Groups turn(const Groups& groups) {
        Groups out{};
        for (int lane = 0; lane < 16; ++lane)
            out.v[lane / 4][lane % 4] = groups.v[lane % 4][lane / 4];
        return out;
    }
    static HEFT_CALL void alternate(const Codes& a, const Codes& b, void* to) {
        auto* bytes = static_cast<std::uint8_t*>(to);
        for (int i = 0; i < 64; i += 4) {
            __builtin_memcpy(bytes + 2 * i, a.v + i, 4);
            __builtin_memcpy(bytes + 2 * i + 4, b.v + i, 4);
        }
    }
    static HEFT_CALL void alternate(const Groups& a, const Groups& b, float* to) {
        for (int i = 0; i < 16; ++i) {
            to[2 * i] = a.v[i / 4][i % 4];
            to[2 * i + 1] = b.v[i / 4][i % 4];
        }
    }
    static HEFT_CALL I lanes(const Codes& codes, int s) { return read<I>(codes.v + 16 * s); }
};

}  // namespace
}  // namespace heft::kernel
