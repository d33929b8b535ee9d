// Up to a tile or so of tokens times quantised rows, by tiles of bytes (types.h). Lanes are tokens:
// codes are multiplied as they are decoded, group by group, and each group's sums come out of the
// tile registers to be scaled and added up in float32. Decoding costs less than folding scales into
// weights (tiles.inl.h), scaling costs more with every token. `Registers` are those of
// tile_block.inl.h, and
//
//   begin_bytes<width>()        around products of groups of so many columns: tiles 0-3 hold sums,
//                               4 and 5 codes [16][width], 6 and 7 activations [width / 4][64]
//   load_rows<tile>(at, stride) rows so many bytes apart
//   multiply_bytes<sum, a, b>() TDPBSSD
#pragma once

#include "kernel/generic/token_lanes.inl.h"

namespace heft::kernel {
namespace {

// A tile's rows of 256 columns.
template <class L, class Format>
struct ByteRows {
    using Row = StoredChunk<L, Format, Format::kZero>;
    Row row[kTile];

    void decode(const BytePanelProduct& p, int first) {
        const auto* from = static_cast<const std::uint8_t*>(p.w) + first * p.row_bytes;
        const int count = p.n_rows - first < kTile ? p.n_rows - first : kTile;
        for (int r = 0; r < count; ++r, from += p.row_bytes) {
            if (p.n_cols == kChunk) {
                row[r].decode(from);
            } else {
                const PaddedWeights<Format> padded(from, p.n_cols);
                row[r].decode(padded.bytes);
            }
        }
        for (int r = count; r < kTile; ++r) __builtin_memset(&row[r], 0, sizeof row[r]);
    }
};

// A tile of rows times a tile of tokens.
template <class L, class Format, class Registers>
struct ByteTile {
    using F = typename L::F;
    using I = typename L::I;
    static constexpr int kWidth = Format::kGroup;
    static constexpr int kCount = kChunk / kWidth;  // of groups
    static constexpr int kVectors = kTile / L::kWidth;
    static constexpr int kSlots = 4;  // sums on their way out of the tile registers
    static constexpr int kAhead = 2;  // groups that are multiplied before one is scaled
    static_assert(kCount % kSlots == 0);

    const ByteRows<L, Format>& rows;
    const ByteInput& x;
    alignas(64) std::int32_t dots[kSlots][kTile][kTile];

    HEFT_INLINE ByteTile(const ByteRows<L, Format>& w, const ByteInput& input)
        : rows(w), x(input) {}

    template <int slot>
    HEFT_INLINE void multiply(int group) {
        constexpr int kCodes = 4 + slot % 2;
        constexpr int kInput = 6 + slot % 2;
        Registers::template zero<slot>();
        Registers::template load_rows<kInput>(x.q[group * kWidth / 4], sizeof x.q[0]);
        Registers::template load_rows<kCodes>(rows.row[0].codes + group * kWidth,
                                              sizeof rows.row[0]);
        Registers::template multiply_bytes<slot, kCodes, kInput>();
        Registers::template store<slot>(dots[slot]);
    }

    HEFT_INLINE void scale(int group, const std::int32_t (&dot)[kTile][kTile],
                           F (&acc)[kTile][kVectors]) const {
        const int column = group * kWidth;
        F input[kVectors];
        F sums[kVectors];
        unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
            constexpr int kLane = v.value * L::kWidth;
            input[v.value] = L::load(x.scale[column / 32] + kLane);
            if constexpr (Format::kHasMinimum)
                sums[v.value] = L::load(
                    (kWidth == 16 ? x.scaled16[column / 16] : x.scaled32[column / 32]) + kLane);
        });
        unroll<kTile>([&](auto r) __attribute__((always_inline)) {
            const auto& row = rows.row[r.value];
            unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
                F& sum = acc[r.value][v.value];
                const I whole = read<I>(dot[r.value] + v.value * L::kWidth);
                sum = L::fma(__builtin_convertvector(whole, F),
                             L::set(row.scale[column / 16]) * input[v.value], sum);
                if constexpr (Format::kHasMinimum)
                    sum = L::fma(L::set(row.below[column / 16]), sums[v.value], sum);
            });
        });
    }

    HEFT_INLINE void add_to(float* sums, bool add, const RowsToCome<Format>* to_come) {
        F acc[kTile][kVectors];
        each(
            [&](auto r, auto v, float* at) __attribute__((always_inline)) {
                acc[r.value][v.value] = add ? L::load(at) : L::set(0.0F);
            },
            sums);
        unroll<kAhead>([&](auto i) __attribute__((always_inline)) { multiply<i.value>(i.value); });
        for (int group = 0; group < kCount; group += kSlots)
            unroll<kSlots>([&](auto i) __attribute__((always_inline)) {
                constexpr int kNext = i.value + kAhead;
                if (group + kNext < kCount) multiply<kNext % kSlots>(group + kNext);
                if (to_come != nullptr)
                    to_come->template fetch<kTile / kCount>((group + i.value) * kTile / kCount);
                scale(group + i.value, dots[i.value], acc);
            });
        each(
            [&](auto r, auto v, float* at)
                __attribute__((always_inline)) { L::store(at, acc[r.value][v.value]); },
            sums);
    }

  private:
    template <class Fn>
    static HEFT_INLINE void each(Fn&& fn, float* sums) {
        unroll<kTile>([&](auto r) __attribute__((always_inline)) {
            unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
                fn(r, v, sums + r.value * kTile + v.value * L::kWidth);
            });
        });
    }
};

template <class L, class Format, class Registers>
void byte_panel(const BytePanelProduct& p) noexcept {
    Registers::template begin_bytes<Format::kGroup>();
    for (int first = 0; first < p.n_rows; first += kTile) {
        ByteRows<L, Format> rows;
        rows.decode(p, first);
        const auto* at = static_cast<const std::uint8_t*>(p.w) + first * p.row_bytes;
        const RowsToCome<Format> to_come{at + p.next, p.row_bytes};
        float* sums = p.sums + first / kTile * kResultNumbers;
        for (int t = 0; t < p.token_tiles; ++t, sums += kPanelRows / kTile * kResultNumbers)
            ByteTile<L, Format, Registers>(rows, p.x[t * p.x_stride])
                .add_to(sums, p.add, t == 0 ? &to_come : nullptr);
    }
    Registers::end();
}

}  // namespace
}  // namespace heft::kernel
