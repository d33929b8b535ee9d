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

// A row's columns, or those of two rows with every four of the one beside those of the other.
template <class L, class Format, int lanes>
struct IntRow : StoredChunk<L, Format, kTakenOff<L, Format>> {};

template <class L, class Format>
struct IntRow<L, Format, 2> {
    alignas(64) std::uint8_t codes[2 * kChunk];
    alignas(64) float scale[2 * kChunk / 16];
    alignas(64) float below[2 * kChunk / 16];

    HEFT_INLINE void decode(const std::uint8_t* first, const std::uint8_t* second) {
        constexpr int kOff = kTakenOff<L, Format>;
        const Chunk<L> a = decoded<L, Format, kOff>(first);
        const Chunk<L> b = decoded<L, Format, kOff>(second);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            L::alternate(a.codes[j.value], b.codes[j.value], codes + 128 * j.value);
        });
        L::alternate(a.scale, b.scale, scale);
        if constexpr (Format::kHasMinimum) L::alternate(a.minimum, b.minimum, below);
    }
};

// What of a panel a product of tokens with so many lanes reads, decoded.
template <class L, class Format, int lanes>
struct IntRows {
    using Row = IntRow<L, Format, lanes>;
    Row row[kPanelRows / lanes];

    // Zeros fill up the last `step` rows: they are computed like the others and never looked at.
    // So is the second of a pair that is not there: the first stands for it.
    HEFT_INLINE IntRows(const BytePanelProduct& p, int step) {
        const auto* from = static_cast<const std::uint8_t*>(p.w);
        int r = 0;
        for (; r * lanes < p.n_rows; ++r, from += lanes * p.row_bytes) {
            const bool alone = r * lanes + 1 == p.n_rows;
            const std::uint8_t* const second = alone ? from : from + p.row_bytes;
            if (p.n_cols == kChunk) {
                decode(from, second, row[r]);
            } else {
                const PaddedWeights<Format> padded(from, p.n_cols);
                const PaddedWeights<Format> other(second, p.n_cols);
                decode(padded.bytes, other.bytes, row[r]);
            }
        }
        for (; r % step != 0; ++r) __builtin_memset(&row[r], 0, sizeof row[r]);
    }

  private:
    static HEFT_INLINE void decode(const std::uint8_t* first, const std::uint8_t* second, Row& to) {
        if constexpr (lanes == 1)
            to.decode(first);
        else
            to.decode(first, second);
    }
};

// Four bytes for every lane, or for the first and second lane of every token.
template <class L, int lanes>
HEFT_INLINE typename L::I spread(const void* at) {
    if constexpr (lanes == 1)
        return L::set(read<std::int32_t>(at));
    else
        return L::set_pairs(read<std::int64_t>(at));
}

// Some rows, or pairs of rows, times some tiles of tokens: registers hold about all their sums.
template <class L, class Format, int lanes, int rows, int tiles>
struct IntTile {
    static constexpr int kOfTile = kTile / L::kWidth;
    static constexpr int kVectors = tiles * kOfTile;
    static constexpr int kWidth = Format::kGroup;
    static constexpr int kTileSums = kPanelRows * kTile;  // from one tile of tokens to the next
    using F = typename L::F;
    using I = typename L::I;
    using Dots = typename L::template Dots<Format::kMostCode>;

    const IntRow<L, Format, lanes>* row;  // the first
    const ByteInput* x;
    std::int64_t x_stride;
    F sums[rows][kVectors];

    template <int v>
    HEFT_INLINE const ByteInput& input() const {
        return x[v / kOfTile * x_stride];
    }
    static HEFT_INLINE F of_rows(const float* of_groups, int column) {
        return (F)spread<L, lanes>(of_groups + column / 16 * lanes);
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
                    spread<L, lanes>(row[r.value].codes + (column + 4 * s.value) * lanes);
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
                to = L::fma(dot, of_rows(row[r.value].scale, column) * scale, to);
                if constexpr (Format::kHasMinimum)
                    to = L::fma(of_rows(row[r.value].below, column), sum, to);
            });
        });
    }

    // Asks for what follows the first tile's rows meanwhile.
    HEFT_INLINE void compute(const BytePanelProduct& p, float* at,
                             const RowsToCome<Format>* to_come) {
        each(
            [&](F & sum, const float* from)
                __attribute__((always_inline)) { sum = p.add ? L::load(from) : F{}; },
            at);
        for (int column = 0; column < p.n_cols; column += kWidth) {
            if (to_come != nullptr)
                for (int r = column * rows * lanes / kChunk;
                     r < (column + kWidth) * rows * lanes / kChunk; ++r)
                    to_come->fetch(r);
            add_group(column);
        }
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

template <class L, class Format, int lanes, int tiles>
void int_tiles(const BytePanelProduct& p, const IntRows<L, Format, lanes>& panel, int tile) {
    constexpr int kRows = L::kIntRows * L::kIntTiles / tiles;
    const ByteInput* const x = p.x + tile * p.x_stride;
    float* at = p.sums + tile * kPanelRows * kTile;
    RowsToCome<Format> to_come{static_cast<const std::uint8_t*>(p.w) + p.next, p.row_bytes};
    for (int r = 0; r * lanes < p.n_rows; r += kRows, at += kRows * kTile) {
        IntTile<L, Format, lanes, kRows, tiles>{panel.row + r, x, p.x_stride, {}}.compute(
            p, at, tile == 0 ? &to_come : nullptr);
        to_come.at += kRows * lanes * p.row_bytes;
    }
}

template <class L, class Format>
void int_panel(const BytePanelProduct& p) noexcept {
    constexpr int kTiles = L::kIntTiles;
    constexpr int kStep = L::kIntRows * kTiles;
    if (p.lanes == 2) return int_tiles<L, Format, 2, 1>(p, {p, kStep}, 0);
    const IntRows<L, Format, 1> panel(p, kStep);
    int t = 0;
    for (; t + kTiles <= p.token_tiles; t += kTiles) int_tiles<L, Format, 1, kTiles>(p, panel, t);
    for (; t < p.token_tiles; ++t) int_tiles<L, Format, 1, 1>(p, panel, t);
}

}  // namespace
}  // namespace heft::kernel
