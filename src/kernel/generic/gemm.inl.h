// A panel of rows times many tokens in float32. The panel is transposed once so that lanes are
// rows: no sum crosses lanes, and each activation is broadcast to all rows. Sums run over the
// panel's columns in order, so a result depends on nothing but its row and its token.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "kernel/isa.h"

namespace heft::kernel {
namespace {

struct Panel {
    alignas(64) float at[kPanelCols * kPanelRows];  // [column][row]
};

template <class L>
void transpose_panel(const PanelProduct& p, Panel& panel) {
    constexpr int kW = L::kWidth;
    const int rows = p.n_rows - p.n_rows % kW;
    const int cols = p.n_cols - p.n_cols % kW;
    for (int r = 0; r < rows; r += kW)
        for (int k = 0; k < cols; k += kW)
            L::transpose(p.w + r * p.w_stride + k, p.w_stride, panel.at + k * kPanelRows + r,
                         kPanelRows);
    for (int k = 0; k < p.n_cols; ++k)
        for (int r = k < cols ? rows : 0; r < kPanelRows; ++r)
            panel.at[k * kPanelRows + r] = r < p.n_rows ? p.w[r * p.w_stride + k] : 0.0F;
}

// To the first n_rows numbers at `out`, or on top of them.
template <class L, int vectors>
HEFT_INLINE void put_sums(const typename L::F (&sums)[vectors], int n_rows, bool add, float* out) {
    constexpr int kRows = vectors * L::kWidth;
    if (n_rows >= kRows) {
        unroll<vectors>([&](auto i) __attribute__((always_inline)) {
            float* at = out + i.value * L::kWidth;
            L::store(at, add ? L::load(at) + sums[i.value] : sums[i.value]);
        });
        return;
    }
    float part[kRows];
    unroll<vectors>([&](auto i) __attribute__((always_inline)) {
        L::store(part + i.value * L::kWidth, sums[i.value]);
    });
    for (int r = 0; r < n_rows; ++r) out[r] = add ? out[r] + part[r] : part[r];
}

template <class L, int tokens>
void panel_tile(const PanelProduct& p, const Panel& panel, int first) {
    using F = typename L::F;
    constexpr int kVectors = kPanelRows / L::kWidth;
    const float* x[tokens];
    unroll<tokens>([&](auto t) __attribute__((always_inline)) {
        x[t.value] = p.x + (first + t.value) * p.x_stride;
    });
    F sums[tokens][kVectors] = {};
    add_products<L>(panel.at, kPanelRows, x, p.n_cols, sums);
    unroll<tokens>([&](auto t) __attribute__((always_inline)) {
        put_sums<L>(sums[t.value], p.n_rows, p.add, p.out + (first + t.value) * p.out_stride);
    });
}

template <class L, int tokens>
void panel_rest(const PanelProduct& p, const Panel& panel, int first) {
    if constexpr (tokens > 0) {
        if (p.n_tokens - first < tokens) return panel_rest<L, tokens / 2>(p, panel, first);
        panel_tile<L, tokens>(p, panel, first);
        panel_rest<L, tokens / 2>(p, panel, first + tokens);
    }
}

template <class L>
void panel(const PanelProduct& p) noexcept {
    Panel lanes;
    transpose_panel<L>(p, lanes);
    int t = 0;
    for (; t + L::kGemmTokens <= p.n_tokens; t += L::kGemmTokens)
        panel_tile<L, L::kGemmTokens>(p, lanes, t);
    constexpr int kMost = L::kGemmTokens > 8 ? 8 : L::kGemmTokens > 2 ? 2 : 1;
    panel_rest<L, kMost>(p, lanes, t);
}

}  // namespace
}  // namespace heft::kernel
