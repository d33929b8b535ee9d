// The formats with blocks of 256 weights; see formats.inl.h.
#pragma once

#include "kernel/generic/formats.inl.h"

namespace heft::kernel {
namespace {

template <class L>
HEFT_INLINE float half(const std::uint8_t* at) {
    return L::half(read<std::uint16_t>(at));
}

template <class L, class Block>
HEFT_INLINE void scales_and_minima(const Block& b, Chunk<L>& out) {
    const SixBits bits = six_bits(b.scales);
    out.scale = times<L>(to_float<L>(L::twice_u8(bits.scales)), half<L>(b.d));
    out.minimum = times<L>(to_float<L>(L::twice_u8(bits.minima)), half<L>(b.dmin));
}

// Whether lanes can decode Q4_K's own parts turned, faster than turning what was decoded.
template <class L>
concept TurnsSixBits = requires(const std::uint8_t* at, Chunk<L>& out) {
    L::turned_nibbles(at, out.codes);
    L::turned_six_bits(at, L::kHighNibble, out.scale, out.minimum);
};

template <class L>
struct Q4K {
    using Block = quant::q4_k::Block;
    static constexpr int kWeights = 256;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 15;
    static constexpr int kZero = 0;
    static constexpr bool kHasMinimum = true;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        const Block& b = *blocks<Block>(at);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            out.codes[j.value] = L::nibbles32(b.qs + 32 * j.value);
        });
        scales_and_minima<L>(b, out);
    }
    // The codes of 64 weights: of 32 in low nibbles, of the next 32 in high ones.
    static HEFT_INLINE const std::uint8_t* nibbles(const std::uint8_t* at, int weight) {
        return blocks<Block>(at)->qs + weight / 2;
    }
    static HEFT_INLINE void decode_turned(const std::uint8_t* at,
                                          Chunk<L>& out) requires TurnsSixBits<L> {
        L::turned_nibbles(blocks<Block>(at)->qs, out.codes);
        L::turned_six_bits(at, L::kHighNibble, out.scale, out.minimum);
    }
};

template <class L>
struct Q5K {
    using Block = quant::q5_k::Block;
    static constexpr int kWeights = 256;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 31;
    static constexpr int kZero = 0;
    static constexpr bool kHasMinimum = true;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        const Block& b = *blocks<Block>(at);
        const typename L::Codes high = L::both(b.qh);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            constexpr int kBit = 2 * j.value;
            out.codes[j.value] =
                L::template merge<kBit, kBit + 1, 4>(L::nibbles32(b.qs + 32 * j.value), high, 1);
        });
        scales_and_minima<L>(b, out);
    }
    static HEFT_INLINE void decode_turned(const std::uint8_t* at,
                                          Chunk<L>& out) requires TurnsSixBits<L> {
        decode(at, out);
        L::turn(out.codes);
        L::turned_six_bits(at, 1.0F, out.scale, out.minimum);
    }
};

template <class L>
struct Q6K {
    using Block = quant::q6_k::Block;
    static constexpr int kWeights = 256;
    static constexpr int kGroup = 16;
    static constexpr int kMostCode = 63;
    static constexpr int kZero = 32;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        const Block& b = *blocks<Block>(at);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            constexpr int kShift = j.value % 2 * 4;
            const typename L::Codes low =
                L::template bits<kShift, kShift>(L::load64(b.ql + j.value / 2 * 64), 15);
            out.codes[j.value] =
                L::template merge<kShift, kShift + 2, 4>(low, L::both(b.qh + j.value / 2 * 32), 3);
        });
        out.scale = times<L>(to_float<L>(L::i8(b.scales)), half<L>(b.d));
    }
};

template <class L>
struct Q2K {
    using Block = quant::q2_k::Block;
    static constexpr int kWeights = 256;
    static constexpr int kGroup = 16;
    static constexpr int kMostCode = 3;
    static constexpr int kZero = 0;
    static constexpr bool kHasMinimum = true;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        const Block& b = *blocks<Block>(at);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            constexpr int kShift = j.value % 2 * 4;
            out.codes[j.value] =
                L::template bits<kShift, kShift + 2>(L::both(b.qs + j.value / 2 * 32), 3);
        });
        constexpr std::uint64_t kNibbles = 0x0f0f0f0f0f0f0f0fU;
        const auto s0 = read<std::uint64_t>(b.scales);
        const auto s1 = read<std::uint64_t>(b.scales + 8);
        out.scale = times<L>(to_float<L>(L::u8(s0 & kNibbles, s1 & kNibbles)), half<L>(b.d));
        out.minimum =
            times<L>(to_float<L>(L::u8(s0 >> 4 & kNibbles, s1 >> 4 & kNibbles)), half<L>(b.dmin));
    }
};

template <class L>
struct Q3K {
    using Block = quant::q3_k::Block;
    static constexpr int kWeights = 256;
    static constexpr int kGroup = 16;
    static constexpr int kMostCode = 7;
    static constexpr int kZero = 4;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        const Block& b = *blocks<Block>(at);
        const typename L::Codes high = L::both(b.hmask);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            constexpr int kShift = j.value % 2 * 4;
            constexpr int kBit = 2 * j.value;
            const typename L::Codes low =
                L::template bits<kShift, kShift + 2>(L::both(b.qs + j.value / 2 * 32), 3);
            out.codes[j.value] = L::template merge<kBit, kBit + 1, 2>(low, high, 1);
        });
        // Nibbles of bytes 0-7 are the low bits of scales 0-7 and 8-15; each two bits of byte
        // 8 + g % 4 the high bits of scale g.
        constexpr std::uint64_t kNibbles = 0x0f0f0f0f0f0f0f0fU;
        constexpr std::uint64_t kPairs = 0x0303030303030303U;
        const auto low = read<std::uint64_t>(b.scales);
        const auto a2 = read<std::uint32_t>(b.scales + 8);
        const std::uint64_t spread = a2 | static_cast<std::uint64_t>(a2 >> 2) << 32;
        const std::uint64_t s0 = (low & kNibbles) | (spread & kPairs) << 4;
        const std::uint64_t s1 = (low >> 4 & kNibbles) | (spread >> 4 & kPairs) << 4;
        out.scale = times<L>(to_float<L>(minus<L>(L::u8(s0, s1), 32)), half<L>(b.d));
    }
};

template <class L>
struct Iq4Xs {
    using Block = quant::iq4_xs::Block;
    static constexpr int kWeights = 256;
    static constexpr int kGroup = 32;
    static constexpr int kMostCode = 255;
    static constexpr int kZero = 128;
    static constexpr bool kHasMinimum = false;
    static HEFT_INLINE void decode(const std::uint8_t* at, Chunk<L>& out) {
        const Block& b = *blocks<Block>(at);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            const std::uint8_t* q = b.qs + 32 * j.value;
            out.codes[j.value] = L::lut(L::nibbles16(q, q + 16), kIq4Levels.v);
        });
        // One byte for each scale: its nibble of scales_l, its two bits of scales_h.
        std::uint64_t low = read<std::uint32_t>(b.scales_l);
        low = (low | low << 16) & 0x0000ffff0000ffffU;
        low = (low | low << 8) & 0x00ff00ff00ff00ffU;
        low = (low | low << 4) & 0x0f0f0f0f0f0f0f0fU;
        std::uint64_t high = read<std::uint16_t>(b.scales_h);
        high = (high | high << 24) & 0x000000ff000000ffU;
        high = (high | high << 12) & 0x000f000f000f000fU;
        high = (high | high << 6) & 0x0303030303030303U;
        const typename L::GroupInts scale = minus<L>(L::twice_u8(low | high << 4), 32);
        out.scale = times<L>(to_float<L>(scale), half<L>(b.d));
    }
};

}  // namespace
}  // namespace heft::kernel
