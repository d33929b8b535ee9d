#if defined(__AVX512BF16__)

#include "kernel/cpu/lanes_avx512_bf16.inl.h"
#include "kernel/generic/k_formats.inl.h"
#include "kernel/generic/tiles.inl.h"

namespace heft::kernel {
namespace {

// VDPBF16PS: for one row, 16 tokens' products of a pair of columns at once.
struct Bf16Block {
    static constexpr int kRows = 8;  // with two vectors of tokens: 16 sums in registers

    static void begin() {}
    static void end() {}

    template <int rows, int tokens>
    // NOLINTNEXTLINE(readability-function-size): the parameters are the walk's
    static HEFT_INLINE void add(const std::uint16_t* a, std::int64_t a_stride,
                                const std::uint16_t* b, std::int64_t b_stride, int k_tiles,
                                float* c, std::int64_t c_stride, bool add) {
        for (int r = 0; r < rows * kTile; r += kRows)
            add_rows<tokens>(a + r / kTile * a_stride + r % kTile * kTileCols, b, b_stride, k_tiles,
                             c + r * kTile, c_stride, add);
    }

    template <int tokens>
    static HEFT_INLINE void add_rows(const std::uint16_t* a, const std::uint16_t* b,
                                     std::int64_t b_stride, int k_tiles, float* c,
                                     std::int64_t c_stride, bool add) {
        __m512 sums[kRows][tokens];
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                const float* at = c + r.value * kTile + t.value * c_stride;
                sums[r.value][t.value] = add ? _mm512_loadu_ps(at) : _mm512_setzero_ps();
            });
        });
        for (int k = 0; k < k_tiles; ++k, a += kTileNumbers, b += kTileNumbers) {
            for (int pair = 0; pair < kTileCols / 2; ++pair) {
                __m512bh x[tokens];
                unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                    x[t.value] =
                        (__m512bh)_mm512_loadu_si512(b + t.value * b_stride + pair * kTileCols);
                });
                unroll<kRows>([&](auto r) __attribute__((always_inline)) {
                    const auto w = (__m512bh)_mm512_set1_epi32(
                        read<std::int32_t>(a + r.value * kTileCols + 2 * pair));
                    unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                        sums[r.value][t.value] =
                            _mm512_dpbf16_ps(sums[r.value][t.value], w, x[t.value]);
                    });
                });
            }
        }
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                _mm512_storeu_ps(c + r.value * kTile + t.value * c_stride, sums[r.value][t.value]);
            });
        });
    }
};

}  // namespace
}  // namespace heft::kernel

namespace heft::kernel::avx512_bf16_isa {

const TileKernels& tiles() {
    static constexpr TileKernels kTiles = make_tiles<Avx512Bf16Lanes, Bf16Block>(false);
    return kTiles;
}

}  // namespace heft::kernel::avx512_bf16_isa

#endif
