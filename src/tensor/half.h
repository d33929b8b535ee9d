// 16-bit and 8-bit floats as integers of their bits, converted to and from float. Rounding is to
// nearest even. Source: IEEE 754 binary16, bfloat16, OCP FP8 (E4M3 without infinities, E5M2).
#pragma once

#include <bit>
#include <cstdint>

namespace heft {

constexpr float from_bf16(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

constexpr std::uint16_t to_bf16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffU) > 0x7f800000U)  // NaN stays NaN
        return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

constexpr float from_f16(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000U) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1fU;
    const std::uint32_t fraction = half & 0x3ffU;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000U | fraction << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    const float small = static_cast<float>(fraction) * 0x1p-24F;  // subnormal: exact
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(small));
}

constexpr std::uint16_t to_f16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U);
    if (magnitude >= 0x477ff000U)
        return static_cast<std::uint16_t>(sign | 0x7c00U);  // rounds to inf
    if (magnitude < 0x38800000U) {  // subnormal: let float addition round to a multiple of 2^-24
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) & 0x7ffU));
    }
    const std::uint32_t rounded = magnitude + 0xfffU + ((magnitude >> 13) & 1U);
    return static_cast<std::uint16_t>(sign | (rounded - 0x38000000U) >> 13);
}

constexpr float from_f8_e4m3(std::uint8_t bits) {
    const float sign = bits & 0x80U ? -1.0F : 1.0F;
    const int exponent = bits >> 3 & 0xf;
    const int fraction = bits & 7;
    if (exponent == 15 && fraction == 7) return std::bit_cast<float>(0x7fc00000U);
    if (exponent == 0) return sign * static_cast<float>(fraction) * 0x1p-9F;
    const auto scale = std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 120) << 23);
    return sign * (1.0F + static_cast<float>(fraction) / 8.0F) * scale;
}

constexpr float from_f8_e5m2(std::uint8_t bits) {
    return from_f16(static_cast<std::uint16_t>(bits << 8));
}

}  // namespace heft
