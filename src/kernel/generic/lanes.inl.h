// What every walk uses. An instruction set is a struct `L` of static functions:
//
//   kWidth, F, I            floats of a vector, the vector, the same number of 32-bit integers
//   kAccs                   accumulators that hide the latency of fma for one row and token
//   kGemmTokens             tokens whose sums with a panel of rows fit the registers
//   load store set fma sum max sqrt from_f16 to_f16 from_bf16 from_u8 from_i8 narrow transpose
//   set_pairs               two integers, again and again
//   greater                 a > b ? a : b in each lane, so that b may be NaN
//   kKeyVectors             vectors of keys or values whose sums with six rows fit the registers
//   Codes                   64 unsigned bytes, the codes of 64 quantised weights
//   load64 pair both        64 bytes; 2 x 32 bytes; the same 32 bytes twice
//   nibbles32 nibbles16     low then high nibbles of 32 bytes; of 16 bytes, twice
//   bits either merge flip expand lut store_codes
//   less<zero>              codes less what stands for zero, as signed bytes
//   Groups, GroupInts       16 floats or integers, one for each 16 weights of 256
//   u8 twice_u8 i8 twice_halves
//   turn                    codes of 256 weights, or Groups, turned (types.h, InputChunk)
//   turned_nibbles          nibbles32 of four times 32 bytes, turned; high ones over kHighNibble
//   turned_six_bits         scales and minima of six bits, turned; those of odd 32 times a factor
//   alternate               fours of codes, or groups, of one row beside those of another
//   lanes                   vector number s of turned codes, as integers
//   Dots<most code>         sums of products of four codes and four activations in each lane: begun
//                           as zeros, continued with add<0>, add<1>, ..., read with total
//   kSignedDot<most code>   whether Dots wants codes with their zero taken off, as signed bytes
//   kIntRows, kIntTiles     rows and tiles of tokens whose Dots and float sums about fit the
//   registers
//
// All functions of these files are templates over L or live in unnamed namespaces, so that nothing
// compiled for one instruction set can be linked into the code of another.
#pragma once

#include <cstddef>
#include <cstdint>

#define HEFT_INLINE __attribute__((always_inline)) inline

namespace heft::kernel {
namespace {

template <int i>
struct Index {
    static constexpr int value = i;
};

// fn(Index<0>{}), ..., fn(Index<count - 1>{}), so that arrays indexed by value stay in registers.
template <int count, class Fn>
HEFT_INLINE void unroll(Fn&& fn) {
    if constexpr (count > 0) {
        unroll<count - 1>(fn);
        fn(Index<count - 1>{});
    }
}

template <class T>
HEFT_INLINE T read(const void* at) {
    T value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

// Asks for the cache lines of so many bytes. An address that nothing is at does no harm.
template <int bytes>
HEFT_INLINE void prefetch_bytes(const std::uint8_t* at) {
    unroll<(bytes + 63) / 64>([&](auto i) __attribute__((always_inline)) {
        __builtin_prefetch(at + 64 * i.value);
    });
}

// The 6-bit scales and minima of Q4_K and Q5_K, eight bytes each. The first four of both lie in the
// low six bits of bytes 0-3 and 4-7; the others in the nibbles of bytes 8-11 and the high two bits.
struct SixBits {
    std::uint64_t scales;
    std::uint64_t minima;
};
HEFT_INLINE SixBits six_bits(const std::uint8_t* at) {
    const auto a0 = read<std::uint32_t>(at);
    const auto a1 = read<std::uint32_t>(at + 4);
    const auto a2 = read<std::uint32_t>(at + 8);
    const std::uint32_t high_scales = (a2 & 0x0f0f0f0fU) | (a0 >> 6 & 0x03030303U) << 4;
    const std::uint32_t high_minima = (a2 >> 4 & 0x0f0f0f0fU) | (a1 >> 6 & 0x03030303U) << 4;
    return {(a0 & 0x3f3f3f3fU) | static_cast<std::uint64_t>(high_scales) << 32,
            (a1 & 0x3f3f3f3fU) | static_cast<std::uint64_t>(high_minima) << 32};
}

template <class L>
HEFT_INLINE typename L::F select(typename L::I mask, typename L::F yes, typename L::F no) {
    using I = typename L::I;
    return (typename L::F)((mask & (I)yes) | (~mask & (I)no));
}

struct NothingBeside {
    void operator()() const {}
};

// sums[r][v] += sum over k < n, in order, of vectors[k][v] * x[r][k]: what every product of several
// rows with turned numbers is made of. vectors[k] begins k * stride numbers after the first.
// beside() is called for each k.
template <class L, int rows, int vectors, class Beside = NothingBeside>
HEFT_INLINE void add_products(const float* at, std::int64_t stride, const float* const (&x)[rows],
                              std::int64_t n, typename L::F (&sums)[rows][vectors],
                              Beside beside = {}) {
    using F = typename L::F;
    for (std::int64_t k = 0; k < n; ++k, at += stride) {
        beside();
        F row[vectors];
        unroll<vectors>([&](auto v) __attribute__((always_inline)) {
            row[v.value] = L::load(at + v.value * L::kWidth);
        });
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            const F value = L::set(x[r.value][k]);
            unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                F& sum = sums[r.value][v.value];
                sum = L::fma(row[v.value], value, sum);
            });
        });
    }
}

// The sum of a chunk's accumulators, always in the same order.
template <class L, int count>
HEFT_INLINE float total(const typename L::F (&acc)[count]) {
    typename L::F sum = acc[0];
    unroll<count - 1>([&](auto i) __attribute__((always_inline)) { sum += acc[i.value + 1]; });
    return L::sum(sum);
}

}  // namespace
}  // namespace heft::kernel
