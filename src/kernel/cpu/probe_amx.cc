#if defined(__AMX_BF16__) || defined(__AMXBF16__)

#include <immintrin.h>

#include "kernel/cpu/probe_loops.h"
#include "kernel/cpu/tile_config.inl.h"

namespace heft::kernel {
namespace {

template <class Step>
void repeat_on_tiles(std::int64_t rounds, const Step& step) {
    configure_tiles();
    // Zeros are as fast as other numbers.
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (std::int64_t i = 0; i < rounds; ++i) step();
    _tile_release();
}

}  // namespace

namespace probe_amx {

void bf16(std::int64_t rounds) noexcept {
    repeat_on_tiles(rounds, [] {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    });
}

void int8(std::int64_t rounds) noexcept {
    repeat_on_tiles(rounds, [] {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    });
}

}  // namespace probe_amx
}  // namespace heft::kernel

#endif
