// Tile registers: all eight of 16 rows of 64 bytes.
#pragma once

#include <cstdint>

#include <immintrin.h>

namespace heft::kernel {
namespace {

// What LDTILECFG reads.
struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

inline void configure_tiles() {
    const TileConfig config;
    __asm__ volatile("" ::"r"(&config) : "memory");  // else g++ drops the stores
    _tile_loadconfig(&config);
}

}  // namespace
}  // namespace heft::kernel
