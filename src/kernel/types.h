// The plain structs that kernels of every instruction set share. Only <cstdint>: this is compiled
// with each instruction set's own flags.
#pragma once

#include <cstdint>

namespace heft::kernel {

// Activations of one token quantised to int8 in blocks of 32, for the integer dot products:
// x[i] ~ scale[i / 32] * q[i]; sum16[i / 16] is the sum of 16 consecutive q.
struct QuantisedRow {
    const std::int8_t* q;
    const float* scale;
    const std::int16_t* sum16;
};

inline constexpr int kStreams = 4;      // rows that the *_rows kernels advance together, at most
inline constexpr int kPanelRows = 32;   // rows of a panel, at most
inline constexpr int kPanelCols = 256;  // columns of a panel, at most: whole blocks of any type

// A panel of float weights times many tokens:
// out[t * out_stride + r] (+)= sum_k w[r * w_stride + k] * x[t * x_stride + k].
struct PanelProduct {
    const float* w;
    std::int64_t w_stride;
    int n_rows;
    int n_cols;
    const float* x;
    std::int64_t x_stride;
    int n_tokens;
    float* out;
    std::int64_t out_stride;
    bool add;  // to what `out` holds: for all panels of a row but the first
};

// A panel of quantised rows times many tokens: out[t * out_stride + r] (+)= sum over columns
// `first` … `first + n_cols - 1` of w[r] * x[t].
struct IntPanelProduct {
    const void* w;  // of the first row, at column `first`
    std::int64_t row_bytes;
    int n_rows;
    int n_cols;             // whole blocks, at most kPanelCols
    const QuantisedRow* x;  // whole rows, one a token
    std::int64_t first;     // a multiple of kPanelCols
    int n_tokens;
    float* out;
    std::int64_t out_stride;
    bool add;
};

}  // namespace heft::kernel
