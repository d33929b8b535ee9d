// The block of tiles.inl.h on a machine that has tile registers, eight of them: 0-3 hold the
// results [row tile][token tile], 4-5 weights, 6-7 activations.
#pragma once

#include "kernel/generic/tile_walk.inl.h"

namespace heft::kernel {
namespace {

template <class Registers>
struct TileBlock {
    static void begin() { Registers::begin(); }
    static void end() { Registers::end(); }

    template <int rows, int tokens, class AfterStep = NothingBeside>
    static HEFT_INLINE void add(const TileOperands& o, AfterStep after_step = {}) {
        const std::uint16_t* a = o.a;
        const std::uint16_t* b = o.b;
        const std::uint16_t* next = o.next_b == nullptr ? o.b : o.next_b + o.next_line * kTileCols;
        each_result<rows, tokens>([&](auto r, auto t) __attribute__((always_inline)) {
            constexpr int kSum = 2 * r.value + t.value;
            if (o.add)
                Registers::template load<kSum>(result(o, r.value, t.value));
            else
                Registers::template zero<kSum>();
        });
        const float* next_c = o.next_c;
        for (int k = 0; k < o.k_tiles; ++k) {
            unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                Registers::template load<6 + t.value>(b + t.value * o.b_stride);
                if (o.next_b == nullptr) return;
                unroll<kNextLines>([&](auto line) __attribute__((always_inline)) {
                    __builtin_prefetch(next + t.value * o.b_stride + line.value * kTileCols, 0, 2);
                });
            });
            unroll<rows>([&](auto r) __attribute__((always_inline)) {
                Registers::template stream<4 + r.value>(a + r.value * o.a_stride);
            });
            if (o.next_c != nullptr && k < kTile) {
                unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                    unroll<rows>([&](auto line) __attribute__((always_inline)) {
                        __builtin_prefetch(next_c + t.value * o.c_stride + line.value * kTile);
                    });
                });
                next_c += rows * kTile;
            }
            a += kTileNumbers;
            b += kTileNumbers;
            next += kTileNumbers;
            each_result<rows, tokens>([](auto r, auto t) __attribute__((always_inline)) {
                Registers::template multiply<2 * r.value + t.value, 4 + r.value, 6 + t.value>();
            });
            after_step();
        }
        each_result<rows, tokens>([&](auto r, auto t) __attribute__((always_inline)) {
            Registers::template store<2 * r.value + t.value>(result(o, r.value, t.value));
        });
    }

  private:
    static HEFT_INLINE float* result(const TileOperands& o, int r, int t) {
        return o.c + r * kResultNumbers + t * o.c_stride;
    }
    template <int rows, int tokens, class Fn>
    static HEFT_INLINE void each_result(Fn&& fn) {
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            unroll<tokens>([&](auto t) __attribute__((always_inline)) { fn(r, t); });
        });
    }
};

}  // namespace
}  // namespace heft::kernel
