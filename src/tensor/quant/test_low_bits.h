// For tests: weight i of a block of the low-bit types, spelled out once more from the published
// formulas, every field as a run of bits at a place in the block. Not part of the library.
#pragma once

#include <cmath>
#include <cstdint>

#include "tensor/half.h"
#include "tensor/quant/grids.h"

namespace heft::test::low_bits {

using Block = const std::uint8_t*;

// `count` bits from bit `at`, the lowest bit of the first byte being bit 0.
inline int bits(Block b, int at, int count) {
    int out = 0;
    for (int i = count; i-- > 0;) out = 2 * out + (b[(at + i) / 8] >> ((at + i) % 8) & 1);
    return out;
}

inline float half(Block b, int byte) {
    return from_f16(static_cast<std::uint16_t>(bits(b, 8 * byte, 16)));
}

// Sign j of eight, seven of them stored from bit `at`: minuses are even in number.
inline float even_sign(Block b, int at, int j) {
    int minuses = 0;
    for (int i = 0; i < 7; ++i) minuses += bits(b, at + i, 1);
    const bool minus = j < 7 ? bits(b, at + j, 1) == 1 : minuses % 2 == 1;
    return minus ? -1.0F : 1.0F;
}

inline float sign(Block b, int at) {
    return bits(b, at, 1) == 1 ? -1.0F : 1.0F;
}

// Weight j of an entry of a codebook, by the arithmetic of its levels.
inline float iq2_level(int entry, int j) {
    const int digit = entry / (1 << (2 * j)) % 4;
    return digit == 0 ? 8.0F : digit == 1 ? 25.0F : 43.0F;
}
inline int iq3_digit(int entry, int j) {
    return entry / (1 << (3 * j)) % 8;
}
inline float iq1_level(int entry, int j) {
    return static_cast<float>(entry / (1 << (2 * j)) % 4 - 1);
}

inline float iq2_xxs(Block b, int i) {
    const int group = 16 + 64 * (i / 32);
    const int index = bits(b, group + 8 * (i % 32 / 8), 8);
    const float d = half(b, 0) * (0.5F + static_cast<float>(bits(b, group + 60, 4))) / 4;
    return d * iq2_level(quant::grids::kIq2Xxs[index], i % 8)
           * even_sign(b, group + 32 + 7 * (i % 32 / 8), i % 8);
}
inline float iq2_xs(Block b, int i) {
    const int at = 16 + 16 * (i / 8);
    const float d = half(b, 0) * (0.5F + static_cast<float>(bits(b, 528 + 4 * (i / 16), 4))) / 4;
    return d * iq2_level(quant::grids::kIq2Xs[bits(b, at, 9)], i % 8) * even_sign(b, at + 9, i % 8);
}
inline float iq2_s(Block b, int i) {
    const int index = bits(b, 16 + 8 * (i / 8), 8) + 256 * bits(b, 528 + 2 * (i / 8), 2);
    const float d = half(b, 0) * (0.5F + static_cast<float>(bits(b, 592 + 4 * (i / 16), 4))) / 4;
    return d * iq2_level(quant::grids::kIq2S[index], i % 8) * sign(b, 272 + i);
}
inline float iq3_xxs(Block b, int i) {
    const int group = 528 + 32 * (i / 32);
    const int entry = quant::grids::kIq3Xxs[bits(b, 16 + 8 * (i / 4), 8)];
    const float d = half(b, 0) * (0.5F + static_cast<float>(bits(b, group + 28, 4))) / 2;
    return d * static_cast<float>(4 + 8 * iq3_digit(entry, i % 4) + iq3_digit(entry, i % 4) / 7 * 2)
           * even_sign(b, group + 7 * (i % 32 / 8), i % 8);
}
inline float iq3_s(Block b, int i) {
    const int index = bits(b, 16 + 8 * (i / 4), 8) + 256 * bits(b, 528 + i / 4, 1);
    const int digit = iq3_digit(quant::grids::kIq3S[index], i % 4);
    return half(b, 0) * static_cast<float>(1 + 2 * bits(b, 848 + 4 * (i / 32), 4))
           * static_cast<float>(1 + 2 * digit) * sign(b, 592 + i);
}
inline float iq1_s(Block b, int i) {
    const int group = 272 + 16 * (i / 32);
    const int index = bits(b, 16 + 8 * (i / 8), 8) + 256 * bits(b, group + 3 * (i % 32 / 8), 3);
    return half(b, 0) * static_cast<float>(1 + 2 * bits(b, group + 12, 3))
           * (iq1_level(quant::grids::kIq1[index], i % 8) + sign(b, group + 15) / 8);
}
inline float iq1_m(Block b, int i) {
    int d = 0;
    for (int part = 4; part-- > 0;) d = 16 * d + bits(b, 384 + 16 * part + 12, 4);
    const int nibble = 256 + 4 * (i / 8);
    const int index = bits(b, 8 * (i / 8), 8) + 256 * bits(b, nibble, 3);
    const int s = bits(b, 384 + 16 * (i / 64) + 3 * (i % 64 / 16), 3);
    return from_f16(static_cast<std::uint16_t>(d)) * static_cast<float>(1 + 2 * s)
           * (iq1_level(quant::grids::kIq1[index], i % 8) + sign(b, nibble + 3) / 8);
}
// Trit t, from the top, of the five-digit fraction byte / 256 in base 3.
inline int trit(int byte, int t) {
    int rest = byte;
    int digit = 0;
    for (int i = 0; i <= t; ++i) {
        digit = rest * 3 / 256;
        rest = rest * 3 % 256;
    }
    return digit;
}
inline float tq1_0(Block b, int i) {
    int q = 0;
    if (i < 160) {
        q = trit(b[i % 32], i / 32);
    } else if (i < 240) {
        q = trit(b[32 + i % 16], (i - 160) / 16);
    } else {
        q = trit(b[48 + i % 4], (i - 240) / 4);
    }
    return half(b, 52) * static_cast<float>(q - 1);
}
inline float tq2_0(Block b, int i) {
    const int byte = 32 * (i / 128) + i % 32;
    return half(b, 64) * static_cast<float>(bits(b, 8 * byte + 2 * (i % 128 / 32), 2) - 1);
}
inline float nvfp4(Block b, int i) {
    constexpr float kMagnitudes[] = {0, 0.5F, 1, 1.5F, 2, 3, 4, 6};
    const int stored = b[i / 16];
    const int exponent = stored / 8 % 16;
    const auto fraction = static_cast<float>(stored % 8) / 8;
    float scale = std::ldexp(1.0F + fraction, exponent - 7);
    if (exponent == 0) scale = std::ldexp(fraction, -6);
    if (stored == 0x7f) scale = 0;
    const int q = bits(b, 32 + 64 * (i / 16) + 8 * (i % 8) + 4 * (i % 16 / 8), 4);
    // A level of minus zero is zero.
    return scale * kMagnitudes[q % 8] * (q > 8 ? -1.0F : 1.0F);
}
inline float q1_0(Block b, int i) {
    return half(b, 0) * (bits(b, 16 + i, 1) == 1 ? 1.0F : -1.0F);
}
inline float q2_0(Block b, int i) {
    return half(b, 0) * static_cast<float>(bits(b, 16 + 2 * i, 2) - 1);
}

}  // namespace heft::test::low_bits
