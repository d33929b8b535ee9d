// Integers of a few bits, end to end in 32-bit words from the lowest bit on, as GPTQ and
// compressed-tensors pack them: an integer may begin in one word and end in the next.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace heft::format::packed {

struct BitPlace {
    std::int64_t word = 0;
    unsigned shift = 0;
    bool split = false;  // its high bits are the lowest of the next word
};

inline BitPlace bit_place(std::int64_t index, int bits) {
    const std::int64_t bit = index * bits;
    const auto shift = static_cast<unsigned>(bit % 32);
    return {bit / 32, shift, shift + static_cast<unsigned>(bits) > 32};
}

// Words that hold `count` integers.
inline std::int64_t words_for(std::int64_t count, int bits) {
    return (count * bits + 31) / 32;
}

// The integer at `place`; the stream's words are `stride` words apart, the first at `words`.
inline std::uint8_t bits_at(const std::byte* words, BitPlace place, int bits, std::int64_t stride) {
    constexpr auto kWord = static_cast<std::int64_t>(sizeof(std::uint32_t));
    const std::byte* at = words + place.word * stride * kWord;
    std::uint32_t value = load<std::uint32_t>(at) >> place.shift;
    if (place.split) value |= load<std::uint32_t>(at + stride * kWord) << (32 - place.shift);
    return static_cast<std::uint8_t>(value & ((1U << bits) - 1));
}

}  // namespace heft::format::packed
