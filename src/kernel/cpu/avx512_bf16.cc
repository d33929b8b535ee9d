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

    template <int rows, int tokens, class AfterStep = NothingBeside>
    static HEFT_INLINE void add(const TileOperands& o, AfterStep after_step = {}) {
        for (int r = 0; r < rows * kTile; r += kRows) add_rows<tokens>(o, r);
        for (int k = 0; k < o.k_tiles; ++k) after_step();
    }

    template <int tokens>
    static HEFT_INLINE void add_rows(const TileOperands& o, int row) {
        const std::uint16_t* a = o.a + row / kTile * o.a_stride + row % kTile * kTileCols;
        const std::uint16_t* b = o.b;
        float* const c = o.c + row * kTile;
        __m512 sums[kRows][tokens];
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                const float* at = c + r.value * kTile + t.value * o.c_stride;
                sums[r.value][t.value] = o.add ? _mm512_loadu_ps(at) : _mm512_setzero_ps();
            });
        });
        for (int k = 0; k < o.k_tiles; ++k, a += kTileNumbers, b += kTileNumbers) {
            for (int pair = 0; pair < kTileCols / 2; ++pair) {
                __m512bh x[tokens];
                unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                    x[t.value] =
                        (__m512bh)_mm512_loadu_si512(b + t.value * o.b_stride + pair * kTileCols);
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
                _mm512_storeu_ps(c + r.value * kTile + t.value * o.c_stride,
                                 sums[r.value][t.value]);
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
