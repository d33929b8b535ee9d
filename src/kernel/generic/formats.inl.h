// How each quantised format meets lanes: decode() turns 256 weights into codes and group scales,
// weight = scale * (code - kZero) - minimum, every product exact in float32 (docs/formats/).
// Formats with blocks of 32 are taken eight blocks at a time. kGroup weights share a scale; no code
// exceeds kMostCode.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "tensor/quant/iq4_nl.h"
#include "tensor/quant/iq4_xs.h"
#include "tensor/quant/mxfp4.h"
#include "tensor/quant/q2_k.h"
#include "tensor/quant/q3_k.h"
#include "tensor/quant/q4_0.h"
#include "tensor/quant/q4_1.h"
#include "tensor/quant/q4_k.h"
#include "tensor/quant/q5_0.h"
#include "tensor/quant/q5_1.h"
#include "tensor/quant/q5_k.h"
#include "tensor/quant/q6_k.h"
#include "tensor/quant/q8_0.h"

namespace heft::kernel {
namespace {

namespace quant = heft::quant;

template <class L>
struct Chunk {
    typename L::Codes codes[4];
    typename L::Groups scale;
    typename L::Groups minimum;  // only where Format::kHasMinimum
};

template <class L>
HEFT_INLINE typename L::Groups to_float(typename L::GroupInts ints) {
    typename L::Groups out;
    unroll<16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
        out.v[i.value] = __builtin_convertvector(ints.v[i.value], typename L::F);
    });
    return out;
}

template <class L>
HEFT_INLINE typename L::Groups times(typename L::Groups groups, float factor) {
    unroll<16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
        groups.v[i.value] *= L::set(factor);
    });
    return groups;
}

template <class L>
HEFT_INLINE typename L::Groups times(typename L::Groups a, typename L::Groups b) {
    unroll<16 / L::kWidth>([&](auto i)
                               __attribute__((always_inline)) { a.v[i.value] *= b.v[i.value]; });
    return a;
}

template <class L>
HEFT_INLINE typename L::GroupInts minus(typename L::GroupInts ints, int value) {
    unroll<16 / L::kWidth>([&](auto i)
                               __attribute__((always_inline)) { ints.v[i.value] -= value; });
    return ints;
}

template <class Block>
HEFT_INLINE const Block* blocks(const std::uint8_t* at) {
    return reinterpret_cast<const Block*>(at);
}

// The halves at `at`, `at` + stride, ...: four in each word.
template <int stride>
HEFT_INLINE std::uint64_t four_halves(const std::uint8_t* at) {
    return static_cast<std::uint64_t>(read<std::uint16_t>(at))
           | static_cast<std::uint64_t>(read<std::uint16_t>(at + stride)) << 16
           | static_cast<std::uint64_t>(read<std::uint16_t>(at + 2 * stride)) << 32
           | static_cast<std::uint64_t>(read<std::uint16_t>(at + 3 * stride)) << 48;
}

// Float16 scales of eight blocks, each for the two groups of its block.
template <class L, class Block>
HEFT_INLINE typename L::Groups block_halves(const std::uint8_t* at) {
    constexpr int kSize = sizeof(Block);
    return L::twice_halves(four_halves<kSize>(at), four_halves<kSize>(at + 4 * kSize));
}

// Formats of 32-weight blocks with the nibble order of Q4_0.
template <class L, class Block>
HEFT_INLINE typename L::Codes block_nibbles(const Block* pair) {
    return L::nibbles16(pair[0].qs, pair[1].qs);
}

template <class L, class Block>
HEFT_INLINE typename L::Codes five_bits(const Block* pair) {
    const std::uint64_t high = read<std::uint32_t>(pair[0].qh)
                               | static_cast<std::uint64_t>(read<std::uint32_t>(pair[1].qh)) << 32;
    return L::either(block_nibbles<L>(pair), L::expand(high, 16));
}

template <class L>
struct Q40 {
    using Block = quant::q4_0::Block;
    static constexpr int kWeights = 32;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 15;
    static constexpr int kZero = 8;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            out.codes[j.value] = block_nibbles<L>(blocks<Block>(at) + 2 * j.value);
        });
        out.scale = block_halves<L, Block>(at);
    }
};

template <class L>
struct Q41 {
    using Block = quant::q4_1::Block;
    static constexpr int kWeights = 32;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 15;
    static constexpr int kZero = 0;
    static constexpr bool kHasMinimum = true;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            out.codes[j.value] = block_nibbles<L>(blocks<Block>(at) + 2 * j.value);
        });
        out.scale = block_halves<L, Block>(at);
        out.minimum = times<L>(block_halves<L, Block>(at + offsetof(Block, m)), -1.0F);
    }
};

template <class L>
struct Q50 {
    using Block = quant::q5_0::Block;
    static constexpr int kWeights = 32;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 31;
    static constexpr int kZero = 16;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            out.codes[j.value] = five_bits<L>(blocks<Block>(at) + 2 * j.value);
        });
        out.scale = block_halves<L, Block>(at);
    }
};

template <class L>
struct Q51 {
    using Block = quant::q5_1::Block;
    static constexpr int kWeights = 32;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 31;
    static constexpr int kZero = 0;
    static constexpr bool kHasMinimum = true;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            out.codes[j.value] = five_bits<L>(blocks<Block>(at) + 2 * j.value);
        });
        out.scale = block_halves<L, Block>(at);
        out.minimum = times<L>(block_halves<L, Block>(at + offsetof(Block, m)), -1.0F);
    }
};

template <class L>
struct Q80 {
    using Block = quant::q8_0::Block;
    static constexpr int kWeights = 32;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 255;
    static constexpr int kZero = 128;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            const Block* pair = blocks<Block>(at) + 2 * j.value;
            out.codes[j.value] = L::flip(L::pair(pair[0].qs, pair[1].qs), 0x80);
        });
        out.scale = block_halves<L, Block>(at);
    }
};

// Levels of a table, made unsigned by adding 128.
struct Levels {
    std::uint8_t v[16];
};

constexpr Levels unsigned_levels(const std::int8_t (&levels)[16]) {
    Levels out{};
    for (int i = 0; i < 16; ++i) out.v[i] = static_cast<std::uint8_t>(levels[i] + 128);
    return out;
}

// NOLINTBEGIN(misc-definitions-in-headers): included once per instruction set, in its namespace
constexpr Levels kIq4Levels = unsigned_levels(quant::iq4_nl::kLevels);
constexpr Levels kMxfp4Levels = unsigned_levels(quant::mxfp4::kLevels);
// NOLINTEND(misc-definitions-in-headers)

template <class L>
struct Iq4Nl {
    using Block = quant::iq4_nl::Block;
    static constexpr int kWeights = 32;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 255;
    static constexpr int kZero = 128;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            out.codes[j.value] =
                L::lut(block_nibbles<L>(blocks<Block>(at) + 2 * j.value), kIq4Levels.v);
        });
        out.scale = block_halves<L, Block>(at);
    }
};

template <class L>
struct Mxfp4 {
    using Block = quant::mxfp4::Block;
    static constexpr int kWeights = 32;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 255;
    static constexpr int kZero = 128;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        std::uint64_t exponents = 0;
        for (int i = 7; i >= 0; --i) exponents = exponents << 8 | blocks<Block>(at)[i].e;
        const typename L::GroupInts e = L::twice_u8(exponents);
        unroll<16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
            using I = typename L::I;
            const I tiny = e.v[i.value] < 2;  // 2^-128 and 2^-127 are subnormal
            const I bits =
                (tiny & ((e.v[i.value] + 1) << 21)) | (~tiny & ((e.v[i.value] - 1) << 23));
            out.scale.v[i.value] = (typename L::F)bits;
        });
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            out.codes[j.value] =
                L::lut(block_nibbles<L>(blocks<Block>(at) + 2 * j.value), kMxfp4Levels.v);
        });
    }
};

}  // namespace
}  // namespace heft::kernel
