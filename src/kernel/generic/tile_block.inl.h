// The block of tiles.inl.h on a machine that has tile registers, eight of them: 0-3 hold the
// results [row tile][token tile], 4-5 weights, 6-7 activations.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "kernel/types.h"

namespace heft::kernel {
namespace {

template <class Registers>
struct TileBlock {
    static void begin() { Registers::begin(); }
    static void end() { Registers::end(); }

    template <int rows, int tokens>
    // NOLINTNEXTLINE(readability-function-size): the parameters are the walk's
    static HEFT_INLINE void add(const std::uint16_t* a, std::int64_t a_stride,
                                const std::uint16_t* b, std::int64_t b_stride, int k_tiles,
                                float* c, std::int64_t c_stride, bool add) {
        each_result<rows, tokens>([&](auto r, auto t) __attribute__((always_inline)) {
            constexpr int kSum = 2 * r.value + t.value;
            if (add)
                Registers::template load<kSum>(c + r.value * kResultNumbers + t.value * c_stride);
            else
                Registers::template zero<kSum>();
        });
        for (int k = 0; k < k_tiles; ++k, a += kTileNumbers, b += kTileNumbers) {
            unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                Registers::template load<6 + t.value>(b + t.value * b_stride);
            });
            unroll<rows>([&](auto r) __attribute__((always_inline)) {
                Registers::template stream<4 + r.value>(a + r.value * a_stride);
            });
            each_result<rows, tokens>([](auto r, auto t) __attribute__((always_inline)) {
                Registers::template multiply<2 * r.value + t.value, 4 + r.value, 6 + t.value>();
            });
        }
        each_result<rows, tokens>([&](auto r, auto t) __attribute__((always_inline)) {
            Registers::template store<2 * r.value + t.value>(c + r.value * kResultNumbers
                                                             + t.value * c_stride);
        });
    }

  private:
    template <int rows, int tokens, class Fn>
    static HEFT_INLINE void each_result(Fn&& fn) {
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            unroll<tokens>([&](auto t) __attribute__((always_inline)) { fn(r, t); });
        });
    }
};

}  // namespace
}  // namespace heft::kernel
