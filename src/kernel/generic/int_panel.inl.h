// A panel of quantised rows times the int8 activations of many tokens. Codes are decoded and
// transposed once, four columns of a row to a lane, so that lanes are rows: no sum crosses lanes,
// and four activations are broadcast to all rows at once. Groups are summed in the order of their
// columns, so a result depends on nothing but its row and its token.
#pragma once

#include "kernel/generic/gemm.inl.h"
#include "kernel/generic/int_dot.inl.h"

namespace heft::kernel {
namespace {

inline constexpr int kQuads = kChunk / 4;    // of columns in a chunk
inline constexpr int kGroups = kChunk / 16;  // as Chunk counts them

// Floats stand for four codes each, because that is what L::transpose moves; no sum is made of
// them.
struct DecodedRows {
    alignas(64) float codes[kPanelRows][kQuads];
    alignas(64) float scale[kPanelRows][kGroups];
    alignas(64) float below[kPanelRows][kGroups];
};

struct IntPanel {
    alignas(64) float codes[kQuads][kPanelRows];
    alignas(64) float scale[kGroups][kPanelRows];
    alignas(64) float below[kGroups][kPanelRows];
};

// Whether something is taken off a weight's code times its scale: the format's minimum, or the
// code that stands for zero times the scale. `below` is it, negative. Codes that L multiplies as
// signed bytes have had it taken off.
template <class L, class Format>
inline constexpr bool kTakesOff = Format::kHasMinimum
                                  || (Format::kZero != 0
                                      && !L::template kSignedDot<Format::kMostCode>);

template <class L, class Format>
void decode_row(const std::uint8_t* from, DecodedRows& rows, int r) {
    Chunk<L> chunk;
    Format::decode(from, chunk);
    auto* codes = reinterpret_cast<std::uint8_t*>(rows.codes[r]);
    unroll<4>([&](auto j) __attribute__((always_inline)) {
        typename L::Codes part = chunk.codes[j.value];
        if constexpr (L::template kSignedDot<Format::kMostCode>)
            part = L::flip(part, Format::kZero);
        L::store_codes(codes + 64 * j.value, part);
    });
    unroll<kGroups / L::kWidth>([&](auto i) __attribute__((always_inline)) {
        L::store(rows.scale[r] + i.value * L::kWidth, chunk.scale.v[i.value]);
        if constexpr (Format::kHasMinimum)
            L::store(rows.below[r] + i.value * L::kWidth, -chunk.minimum.v[i.value]);
        else if constexpr (kTakesOff<L, Format>)
            L::store(rows.below[r] + i.value * L::kWidth,
                     chunk.scale.v[i.value] * L::set(-float{Format::kZero}));
    });
}

template <class L, int cols>
void turn(const float (&from)[kPanelRows][cols], float (&to)[cols][kPanelRows]) {
    for (int r = 0; r < kPanelRows; r += L::kWidth)
        for (int c = 0; c < cols; c += L::kWidth)
            L::transpose(from[r] + c, cols, to[c] + r, kPanelRows);
}

template <class L, class Format>
void decode_panel(const IntPanelProduct& p, IntPanel& panel) {
    DecodedRows rows;
    const auto* from = static_cast<const std::uint8_t*>(p.w);
    for (int r = 0; r < p.n_rows; ++r, from += p.row_bytes) {
        if (p.n_cols == kChunk) {
            // A row's next columns: too short a stretch for hardware to see it coming.
            prefetch_bytes<kChunkBytes<Format>>(from + kChunkBytes<Format>);
            decode_row<L, Format>(from, rows, r);
        } else {
            const PaddedWeights<Format> padded(from, p.n_cols);
            decode_row<L, Format>(padded.bytes, rows, r);
        }
    }
    // Lanes without a row are computed like the others and never looked at.
    for (int r = p.n_rows; r < kPanelRows; ++r) {
        __builtin_memset(rows.codes[r], 0, sizeof rows.codes[r]);
        __builtin_memset(rows.scale[r], 0, sizeof rows.scale[r]);
        __builtin_memset(rows.below[r], 0, sizeof rows.below[r]);
    }
    turn<L>(rows.codes, panel.codes);
    turn<L>(rows.scale, panel.scale);
    if constexpr (kTakesOff<L, Format>) turn<L>(rows.below, panel.below);
}

// The scaled sum of a token's activations in the group of `width` columns that begins at `at`.
template <int width>
HEFT_INLINE float group_sum(const QuantisedRow& x, std::int64_t at) {
    return width == 16 ? x.scaled16[at / 16] : x.scaled32[at / 32];
}

// Some vectors of rows times some tokens: registers hold all their sums.
template <class L, class Format, int tokens>
struct IntTile {
    static constexpr int kVectors = L::kIntVectors;
    static constexpr int kWidth = Format::kGroup;
    using F = typename L::F;
    using I = typename L::I;
    using Dots = typename L::template Dots<Format::kMostCode>;

    const IntPanelProduct& p;
    const IntPanel& panel;
    int token;  // the first
    int row;    // the first
    F sums[tokens][kVectors] = {};

    HEFT_INLINE const QuantisedRow& input(int t) const { return p.x[token + t]; }

    // Columns c of the panel and on: one group.
    HEFT_INLINE void add_group(int c) {
        const std::int64_t at = p.first + c;
        Dots dots[tokens][kVectors] = {};
        unroll<kWidth / 4>([&](auto s) __attribute__((always_inline)) {
            I codes[kVectors];
            unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
                codes[v.value] =
                    (I)L::load(panel.codes[c / 4 + s.value] + row + v.value * L::kWidth);
            });
            unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                const I x = L::set(read<std::int32_t>(input(t.value).q + at + 4 * s.value));
                unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
                    dots[t.value][v.value].template add<s.value>(codes[v.value], x);
                });
            });
        });
        unroll<tokens>([&](auto t) __attribute__((always_inline)) {
            scale_group(c, at, t.value, dots[t.value], sums[t.value]);
        });
    }

    HEFT_INLINE void scale_group(int c, std::int64_t at, int t, const Dots (&dots)[kVectors],
                                 F (&to)[kVectors]) {
        const F x = L::set(input(t).scale[at / 32]);
        F x_sum = {};
        if constexpr (kTakesOff<L, Format>) x_sum = L::set(group_sum<kWidth>(input(t), at));
        unroll<kVectors>([&](auto v) __attribute__((always_inline)) {
            const int lane = row + v.value * L::kWidth;
            F& sum = to[v.value];
            const F dot = __builtin_convertvector(dots[v.value].total(), F);
            sum = L::fma(dot, L::load(panel.scale[c / 16] + lane) * x, sum);
            if constexpr (kTakesOff<L, Format>)
                sum = L::fma(L::load(panel.below[c / 16] + lane), x_sum, sum);
        });
    }

    HEFT_INLINE void compute() {
        for (int c = 0; c < p.n_cols; c += kWidth) add_group(c);
        unroll<tokens>([&](auto t) __attribute__((always_inline)) {
            put_sums<L>(sums[t.value], p.n_rows - row, p.add,
                        p.out + (token + t.value) * p.out_stride + row);
        });
    }
};

template <class L, class Format, int tokens>
void int_tokens(const IntPanelProduct& p, const IntPanel& panel, int token) {
    for (int row = 0; row < p.n_rows; row += L::kIntVectors * L::kWidth)
        IntTile<L, Format, tokens>{p, panel, token, row}.compute();
}

template <class L, class Format>
void int_panel(const IntPanelProduct& p) noexcept {
    IntPanel panel;
    decode_panel<L, Format>(p, panel);
    int t = 0;
    for (; t + L::kIntTokens <= p.n_tokens; t += L::kIntTokens)
        int_tokens<L, Format, L::kIntTokens>(p, panel, t);
    for (; t + 2 <= p.n_tokens; t += 2) int_tokens<L, Format, 2>(p, panel, t);
    if (t < p.n_tokens) int_tokens<L, Format, 1>(p, panel, t);
}

}  // namespace
}  // namespace heft::kernel
