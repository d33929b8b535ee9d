// The codebooks of the IQ1, IQ2 and IQ3 types: constants of those formats, packed, and how an entry
// becomes weights. Entries are in ascending order, so none occurs twice.
#pragma once

#include <bit>
#include <cstdint>

namespace heft::quant::grids {

// Eight weights an entry, two bits each: the level's index.
extern const std::uint16_t kIq1[2048];
extern const std::uint16_t kIq2Xxs[256];
extern const std::uint16_t kIq2Xs[512];
extern const std::uint16_t kIq2S[1024];
// Four weights an entry, three bits each.
extern const std::uint16_t kIq3Xxs[256];
extern const std::uint16_t kIq3S[512];

inline constexpr int kIq1Levels[] = {-1, 0, 1};
inline constexpr int kIq2Levels[] = {8, 25, 43};
inline constexpr int kIq3XxsLevels[] = {4, 12, 20, 28, 36, 44, 52, 62};
inline constexpr int kIq3SLevels[] = {1, 3, 5, 7, 9, 11, 13, 15};

// Seven stored signs (1: minus); the eighth makes the number of minuses even.
inline unsigned even_signs(unsigned seven) {
    return seven | (static_cast<unsigned>(std::popcount(seven)) & 1U) << 7;
}

// Writes `count` weights of an entry of `bits` bits each: scale * level, minus where `signs` says.
template <int count, int bits>
void put(float scale, unsigned entry, const int* levels, unsigned signs, float* y) {
    for (int j = 0; j < count; ++j, entry >>= bits, signs >>= 1) {
        const float magnitude = scale * static_cast<float>(levels[entry & ((1U << bits) - 1)]);
        y[j] = (signs & 1U) != 0 ? -magnitude : magnitude;
    }
}

inline void put_iq2(float scale, unsigned entry, unsigned signs, float* y) {
    put<8, 2>(scale, entry, kIq2Levels, signs, y);
}

// IQ1: scale * (level + delta).
inline void put_iq1(float scale, float delta, unsigned entry, float* y) {
    for (int j = 0; j < 8; ++j, entry >>= 2)
        y[j] = scale * (static_cast<float>(kIq1Levels[entry & 3U]) + delta);
}

inline constexpr float kIq1Delta = 0.125F;

}  // namespace heft::quant::grids
