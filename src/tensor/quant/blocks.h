// What the format files share: reading little-endian fields, rounding, and the packed 6-bit scales
// of Q4_K and Q5_K.
#pragma once

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

// To the nearest integer of [low, high]; NaN becomes low.
inline int nearest(float value, int low, int high) {
    const float least = static_cast<float>(low);
    const float most = static_cast<float>(high);
    if (!(value > least)) return low;
    if (value >= most) return high;
    return static_cast<int>(std::lround(value));
}

inline float inverse(float value) {
    return value == 0.0F ? 0.0F : 1.0F / value;
}

// The greatest magnitude of n numbers; NaN is passed over.
inline float greatest(const float* x, int n) {
    float peak = 0.0F;
    for (int i = 0; i < n; ++i) peak = std::fmax(peak, std::fabs(x[i]));
    return peak;
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

// Calls write(block, to) for each of the blocks that hold n weights.
template <class Block, int weights, class Write>
void each_block(const void* from, std::int64_t n, float* to, Write write) {
    const auto* bytes = static_cast<const std::byte*>(from);
    for (std::int64_t i = 0; i < n; i += weights, bytes += sizeof(Block), to += weights)
        write(load<Block>(bytes), to);
}

}  // namespace heft::quant
