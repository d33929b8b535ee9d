// A panel of quantised rows times tiles of tokens, by vectors: lanes are tokens, so that no sum
// crosses lanes. Rows are decoded once for all tokens and stay in the nearest cache as they are
// stored; four codes of a row are broadcast to all tokens at once. Groups are added up in the order
// of their columns, so a result depends on nothing but its row and its token.
#pragma once

#include "kernel/generic/token_lanes.inl.h"

namespace heft::kernel {
namespace {

// What stands for zero is taken off the codes that L multiplies as signed bytes; of others it is
// taken off the sums of products.
template <class L, class Format>
inline constexpr int kTakenOff = L::template kSignedDot<Format::kMostCode> ? Format::kZero : 0;

template <class L, class Format>
struct IntRows {
    using Row = StoredChunk<L, Format, kTakenOff<L, Format>>;
    Row row[kPanelRows];

    // Zeros fill up the last `step` rows: they are computed like the others and never looked at.
    HEFT_INLINE IntRows(const BytePanelProduct& p, int step) {
        const auto* from = static_cast<const std::uint8_t*>(p.w);
        int r = 0;
        for (; r < p.n_rows; ++r, from += p.row_bytes) {
            // Too short a stretch for hardware to see it coming.
            prefetch_bytes<kChunkBytes<Format>>(from + p.next);
            if (p.n_cols == kChunk) {
                row[r].decode(from);
            } else {
                const PaddedWeights<Format> padded(from, p.n_cols);
                row[r].decode(padded.bytes);
            }
        }
        for (; r % step != 0; ++r) __builtin_memset(&row[r], 0, sizeof row[r]);
    }
};

// Some rows times some tiles of tokens: registers hold about all their sums.
template <class L, class Format, int rows, int tiles>
struct IntTile {
    static constexpr int kOfTile = kTile / L::kWidth;
    static constexpr int kVectors = tiles * kOfTile;
    static constexpr int kWidth = Format::kGroup;
    static constexpr int kTileSums = kPanelRows * kTile;  // from one tile of tokens to the next
    using F = typename L::F;
    using I = typename L::I;
    using Dots = typename L::template Dots<Format::kMostCode>;

    const typename IntRows<L, Format>::Row* row;  // the first
    const ByteInput* x;
    std::int64_t x_stride;
    F sums[rows][kVectors];

    template <int v>
    HEFT_INLINE const ByteInput& input() const {
        return x[v / kOfTile * x_stride];
    }
    static constexpr int lane(int v) { return v % kOfTile * L::kWidth; }

    // What the sums of a group's products begin with, for every row.
    template <int v>
    HEFT_INLINE I start(int column) const {
        if constexpr (Format::kZero == kTakenOff<L, Format>) return I{};
        I sum = read<I>(input<v>().minus_sum[column / 16] + lane(v));
        if constexpr (kWidth == 32) sum += read<I>(input<v>().minus_sum[column / 16 + 1] + lane(v));
        return sum * Format::kZero;
    }

    HEFT_INLINE void add_group(int column) {
        Dots dots[rows][kVectors];
        unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
            const I begin = start<v.value>(column);
            unroll<rows>([&](auto r) __attribute__((always_inline)) {
                dots[r.value][v.value].start(begin);
            });
        });
        unroll<kWidth / 4>([&](auto s) __attribute__((always_inline)) {
            I q[kVectors];
            unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
                q[v.value] = read<I>(input<v.value>().q[column / 4 + s.value] + lane(v.value));
            });
            unroll<rows>([&](auto r) __attribute__((always_inline)) {
                const I codes =
                    L::set(read<std::int32_t>(row[r.value].codes + column + 4 * s.value));
                unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
                    dots[r.value][v.value].template add<s.value>(codes, q[v.value]);
                });
            });
        });
        unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
            const ByteInput& in = input<v.value>();
            const F scale = L::load(in.scale[column / 32] + lane(v.value));
            F sum{};
            if constexpr (Format::kHasMinimum)
                sum = L::load((kWidth == 16 ? in.scaled16[column / 16] : in.scaled32[column / 32])
                              + lane(v.value));
            unroll<rows>([&](auto r) __attribute__((always_inline)) {
                F& to = sums[r.value][v.value];
                const F dot = __builtin_convertvector(dots[r.value][v.value].total(), F);
                to = L::fma(dot, L::set(row[r.value].scale[column / 16]) * scale, to);
                if constexpr (Format::kHasMinimum)
                    to = L::fma(L::set(row[r.value].below[column / 16]), sum, to);
            });
        });
    }

    HEFT_INLINE void compute(int n_cols, bool add, float* at) {
        each(
            [&](F & sum, const float* from)
                __attribute__((always_inline)) { sum = add ? L::load(from) : F{}; },
            at);
        for (int column = 0; column < n_cols; column += kWidth) add_group(column);
        each(
            [&](F & sum, float* to) __attribute__((always_inline)) { L::store(to, sum); }, at);
    }

  private:
    template <class Fn>
    HEFT_INLINE void each(Fn&& fn, float* at) {
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
                fn(sums[r.value][v.value],
                   at + v.value / kOfTile * kTileSums + r.value * kTile + lane(v.value));
            });
        });
    }
};

template <class L, class Format, int tiles>
void int_tiles(const BytePanelProduct& p, const IntRows<L, Format>& panel, int tile) {
    constexpr int kRows = L::kIntRows * L::kIntTiles / tiles;
    const ByteInput* const x = p.x + tile * p.x_stride;
    float* at = p.sums + tile * kPanelRows * kTile;
    for (int r = 0; r < p.n_rows; r += kRows, at += kRows * kTile)
        IntTile<L, Format, kRows, tiles>{panel.row + r, x, p.x_stride, {}}.compute(p.n_cols, p.add,
                                                                                   at);
}

template <class L, class Format>
void int_panel(const BytePanelProduct& p) noexcept {
    constexpr int kTiles = L::kIntTiles;
    const IntRows<L, Format> panel(p, L::kIntRows * kTiles);
    int t = 0;
    for (; t + kTiles <= p.token_tiles; t += kTiles) int_tiles<L, Format, kTiles>(p, panel, t);
    for (; t < p.token_tiles; ++t) int_tiles<L, Format, 1>(p, panel, t);
}

}  // namespace
}  // namespace heft::kernel
