#if defined(__AMX_BF16__) && defined(__AMX_INT8__)

#include <immintrin.h>

#include "kernel/cpu/probe_loops.h"

namespace heft::kernel {
namespace {

// The layout that LDTILECFG reads: all eight tiles of 16 rows of 64 bytes.
struct alignas(64) Layout {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(Layout) == 64);

void begin() {
    const Layout layout;
    __asm__ volatile("" ::"r"(&layout) : "memory");  // else g++ drops the stores
    _tile_loadconfig(&layout);
    // Zeros are as fast as other numbers.
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
}

}  // namespace

namespace probe_amx {

void bf16(std::int64_t rounds) noexcept {
    begin();
    for (std::int64_t i = 0; i < rounds; ++i) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
}

void int8(std::int64_t rounds) noexcept {
    begin();
    for (std::int64_t i = 0; i < rounds; ++i) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    }
    _tile_release();
}

}  // namespace probe_amx
}  // namespace heft::kernel

#endif
