#if defined(__AMX_BF16__) || defined(__AMXBF16__)

#include "kernel/cpu/lanes_avx512_bf16.inl.h"
#include "kernel/generic/k_formats.inl.h"
#include "kernel/generic/tiles.inl.h"

namespace heft::kernel {
namespace {

// The layout that LDTILECFG reads: all eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

// Registers: 0-3 results [row tile][token tile], 4-5 weights, 6-7 activations. Weights stream by and
// are read with the hint to leave the nearest cache to the activations.
struct AmxBlock {
    static constexpr std::int64_t kRowBytes = 64;

    static void begin() {
        const TileConfig config;
        __asm__ volatile("" ::"r"(&config) : "memory");  // else g++ drops the stores
        _tile_loadconfig(&config);
    }
    static void end() { _tile_release(); }

    // NOLINTNEXTLINE(readability-function-size): the parameters are the walk's
    template <int rows, int tokens>
    static HEFT_INLINE void add(const std::uint16_t* a, std::int64_t a_stride,
                                const std::uint16_t* b, std::int64_t b_stride, int k_tiles,
                                float* c, std::int64_t c_stride, bool add) {
        if (add) {
            _tile_loadd(0, c, kRowBytes);
            if constexpr (tokens == 2) _tile_loadd(1, c + c_stride, kRowBytes);
            if constexpr (rows == 2) _tile_loadd(2, c + kResultNumbers, kRowBytes);
            if constexpr (rows == 2 && tokens == 2)
                _tile_loadd(3, c + c_stride + kResultNumbers, kRowBytes);
        } else {
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
        }
        for (int k = 0; k < k_tiles; ++k, a += kTileNumbers, b += kTileNumbers) {
            _tile_loadd(6, b, kRowBytes);
            _tile_stream_loadd(4, a, kRowBytes);
            _tile_dpbf16ps(0, 4, 6);
            if constexpr (tokens == 2) {
                _tile_loadd(7, b + b_stride, kRowBytes);
                _tile_dpbf16ps(1, 4, 7);
            }
            if constexpr (rows == 2) {
                _tile_stream_loadd(5, a + a_stride, kRowBytes);
                _tile_dpbf16ps(2, 5, 6);
                if constexpr (tokens == 2) _tile_dpbf16ps(3, 5, 7);
            }
        }
        _tile_stored(0, c, kRowBytes);
        if constexpr (tokens == 2) _tile_stored(1, c + c_stride, kRowBytes);
        if constexpr (rows == 2) _tile_stored(2, c + kResultNumbers, kRowBytes);
        if constexpr (rows == 2 && tokens == 2)
            _tile_stored(3, c + c_stride + kResultNumbers, kRowBytes);
    }
};

}  // namespace
}  // namespace heft::kernel

namespace heft::kernel::amx_isa {

const TileKernels& tiles() {
    static constexpr TileKernels kTiles = make_tiles<Avx512Bf16Lanes, AmxBlock>(true);
    return kTiles;
}

}  // namespace heft::kernel::amx_isa

#endif
