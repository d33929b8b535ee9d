// What the grouped types share: blocks of 32 weights as files of other tools keep them, a float32
// scale first. They exist in memory only: what a packed checkpoint (docs/formats/packed.md) says of
// a weight is kept to the bit, whatever the file's own layout.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace heft::quant {

// What 32 weights have in common: weight = scale * (level - zero); zero only with integers.
struct Group {
    float scale = 1;
    std::int32_t zero = 0;
};

inline constexpr int kGroupedWeights = 32;

// Codes of 4 bits as in Q4_0: low nibbles are weights 0 to 15, high nibbles 16 to 31.
inline void put_nibbles(const std::uint8_t* codes, std::uint8_t* qs) {
    for (int j = 0; j < 16; ++j)
        qs[j] = static_cast<std::uint8_t>((codes[j] & 15) | codes[j + 16] << 4);
}

}  // namespace heft::quant
