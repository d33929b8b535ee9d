// What the format files share: reading little-endian fields, rounding, and the packed 6-bit scales
// of Q4_K and Q5_K.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/bytes.h"
#include "tensor/half.h"

namespace heft::quant {

inline float half_at(const std::uint8_t* at) {
    return from_f16(load<std::uint16_t>(at));
}

inline void put_half(std::uint8_t* at, float value) {
    const std::uint16_t bits = to_f16(value);
    std::memcpy(at, &bits, sizeof bits);
}

template <class Field, std::size_t size>
void put_field(std::uint8_t (&at)[size], Field value) {
    static_assert(sizeof value == size);
    std::memcpy(at, &value, size);
}

// To the nearest integer of [low, high]; NaN becomes low.
inline int nearest(float value, int low, int high) {
    const float least = static_cast<float>(low);
    const float most = static_cast<float>(high);
    if (!(value > least)) return low;
    if (value >= most) return high;
    return static_cast<int>(std::lround(value));
}

// As nearest(value, -limit, limit), without a branch or a call.
inline int nearest_within(float value, int limit) {
    constexpr float kAlmostHalf = 0.49999997F;  // the greatest float below: 0.5 - 1 ulp stays 0
    const auto most = static_cast<float>(limit);
    value = value > -most ? value : -most;
    value = value < most ? value : most;
    return static_cast<int>(value + std::copysign(kAlmostHalf, value));
}

// The whole part of a number that is not far below 0, at most `high`; NaN becomes 0.
inline int floor_within(float value, int high) {
    if (!(value > 0)) return 0;
    return value < static_cast<float>(high) ? static_cast<int>(value) : high;
}

inline float inverse(float value) {
    return value == 0.0F ? 0.0F : 1.0F / value;
}

// The greatest magnitude of n numbers; NaN is passed over.
inline float greatest(const float* x, int n) {
    // Magnitudes are ordered as their bits are; as integers the loop becomes one of vectors.
    constexpr std::int32_t kInfinity = 0x7f800000;
    std::int32_t peak = 0;
    for (int i = 0; i < n; ++i) {
        const std::int32_t bits = std::bit_cast<std::int32_t>(x[i]) & 0x7fffffff;
        peak = std::max(peak, bits > kInfinity ? 0 : bits);
    }
    return std::bit_cast<float>(peak);
}

// 32 levels of five bits as Q5_0 and Q5_1 keep them; level(j) is the j-th.
template <class Level>
void put_five_bits(std::uint8_t* qs, std::uint8_t* qh, Level level) {
    std::uint32_t high = 0;
    for (int j = 0; j < 16; ++j) {
        const int low_half = level(j);
        const int high_half = level(j + 16);
        qs[j] = static_cast<std::uint8_t>((low_half & 15) | (high_half & 15) << 4);
        high |= static_cast<std::uint32_t>(low_half >> 4) << j;
        high |= static_cast<std::uint32_t>(high_half >> 4) << (j + 16);
    }
    std::memcpy(qh, &high, sizeof high);
}

struct ScaleMin {
    std::uint8_t scale;
    std::uint8_t minimum;
};

// Group `g` of 8 in the 12 bytes of Q4_K and Q5_K.
inline ScaleMin scale_min(const std::uint8_t* s, int g) {
    if (g < 4)
        return {static_cast<std::uint8_t>(s[g] & 63), static_cast<std::uint8_t>(s[g + 4] & 63)};
    return {static_cast<std::uint8_t>((s[g + 4] & 15) | (s[g - 4] >> 6) << 4),
            static_cast<std::uint8_t>((s[g + 4] >> 4) | (s[g] >> 6) << 4)};
}

inline void put_scale_min(std::uint8_t* s, int g, ScaleMin value) {
    if (g < 4) {
        s[g] = static_cast<std::uint8_t>(s[g] | value.scale);
        s[g + 4] = static_cast<std::uint8_t>(s[g + 4] | value.minimum);
        return;
    }
    s[g + 4] = static_cast<std::uint8_t>((value.scale & 15) | (value.minimum & 15) << 4);
    s[g - 4] = static_cast<std::uint8_t>(s[g - 4] | (value.scale >> 4) << 6);
    s[g] = static_cast<std::uint8_t>(s[g] | (value.minimum >> 4) << 6);
}

// The weight of greatest magnitude, with its sign; the first of several. NaN is passed over.
inline float peak_of(const float* x, int n) {
    float peak = 0.0F;
    for (int i = 0; i < n; ++i)
        if (std::fabs(x[i]) > std::fabs(peak)) peak = x[i];
    return peak;
}

// Calls write(block, to) for each of the blocks that hold n weights.
template <class Block, int weights, class Write>
void each_block(const void* from, std::int64_t n, float* to, Write write) {
    const auto* bytes = static_cast<const std::byte*>(from);
    for (std::int64_t i = 0; i < n; i += weights, bytes += sizeof(Block), to += weights)
        write(load<Block>(bytes), to);
}

// Stores make(weights, index of the first) for each of the blocks that n weights fill.
template <class Block, int weights, class Make>
void make_blocks(const float* from, std::int64_t n, void* to, Make make) {
    auto* out = static_cast<std::byte*>(to);
    for (std::int64_t i = 0; i < n; i += weights, out += sizeof(Block)) {
        const Block block = make(from + i, i);
        std::memcpy(out, &block, sizeof block);
    }
}

// Of the weights from the i-th on, where there are importances.
inline const float* importance_at(const float* importance, std::int64_t i) {
    return importance != nullptr ? importance + i : nullptr;
}

}  // namespace heft::quant
