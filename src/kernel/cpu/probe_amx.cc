#if defined(__AMX_BF16__) || defined(__AMXBF16__)

#include <immintrin.h>

#include "kernel/cpu/probe_loops.h"
#include "kernel/cpu/tile_config.inl.h"

namespace heft::kernel {
namespace {

// Numbers as weights and activations have them: on zeros, which take less power, processors run
// faster. As bfloat16 of magnitude 2^-15 to 2.
struct alignas(64) SomeNumbers {
    std::uint8_t bytes[1024];
    SomeNumbers() {
        std::uint32_t state = 1;
        for (int i = 0; i < 1024; i += 2) {
            state = state * 1664525U + 1013904223U;
            bytes[i] = static_cast<std::uint8_t>(state >> 24);
            bytes[i + 1] = static_cast<std::uint8_t>((state >> 16 & 0x87U) | 0x38U);
        }
    }
};

template <class Step>
void repeat_on_tiles(std::int64_t rounds, const Step& step) {
    const SomeNumbers numbers;
    configure_tiles();
    __asm__ volatile("" ::"r"(&numbers) : "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, numbers.bytes, 64);
    _tile_loadd(5, numbers.bytes, 64);
    _tile_loadd(6, numbers.bytes, 64);
    _tile_loadd(7, numbers.bytes, 64);
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
