// The kernels of one instruction set, as a table of functions. Everything above asks the table and
// nothing above knows an instruction set. Kernels are noexcept, allocate nothing and validate
// nothing: op/ checks before it calls. All pointers to weights may be unaligned. A result depends
// only on the arguments of its own row and token, never on how work was split.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/types.h"
#include "tensor/dtype.h"
#include "tensor/quant/encoding.h"

namespace heft::kernel {

struct Table {
    const char* name;  // "scalar", "avx2", "avx512", "avx512_bf16", "amx"

    // -- weights
    // n weights (whole blocks) to float, bit-equal to tensor/quant's reference on every table.
    void (*unpack)(DType type, const void* from, std::int64_t n, float* to) noexcept;
    // out[t] = sum_k w[k] * x[t * x_stride + k], float32 throughout, for n_tokens tokens.
    void (*dot)(DType type, const void* w, std::int64_t n, const float* x, std::int64_t x_stride,
                int n_tokens, float* out) noexcept;
    // Whether dot_int exists for this type.
    bool (*has_dot_int)(DType type) noexcept;
    // As dot, with quantised activations, several streams of rows at once; only for types where
    // has_dot_int. What a row and a token give has the same bits beside any others.
    void (*dot_int)(DType type, const IntProduct& product) noexcept;
    // n a multiple of 32.
    void (*quantise_row)(const float* x, std::int64_t n, const QuantisedRoom& to) noexcept;
    // What quantise_row made, for dot_int: a chunk for each kInputColumns columns begun.
    void (*turn_row)(const QuantisedRow& x, std::int64_t n, InputChunk* out) noexcept;
    // One token, n_rows <= kStreams rows in lock-step, so that several streams of weights are read
    // at once, each asked for `prefetch` bytes ahead: out[r], the same bits as dot gives.
    void (*dot_rows)(DType type, const void* const* w, int n_rows, std::int64_t n, const float* x,
                     int prefetch, float* out) noexcept;
    void (*panel)(const PanelProduct& product) noexcept;
    // A panel of any number of columns: out[t * out_stride + r] = sum_k w[r * n + k] * x[t *
    // x_stride + k], for n_rows <= kPanelRows rows of float weights.
    void (*gemm_panel)(const float* w, int n_rows, std::int64_t n, const float* x,
                       std::int64_t x_stride, int n_tokens, float* out,
                       std::int64_t out_stride) noexcept;

    // -- bfloat16 tiles (types.h), for products of many tokens in half precision
    // Whether tiles are this table's fastest way for a type; the others exist only if it ever is.
    bool (*has_tiles)(DType type) noexcept;
    // Scales are folded in and numbers rounded to nearest; the last 32 are filled up with zeros.
    void (*unpack_tiles)(DType type, const TileRows& rows) noexcept;
    // n activations of at most kTile tokens, as tiles side by side, filled up with zeros.
    void (*pack_tiles)(const float* x, std::int64_t x_stride, int n_tokens, std::int64_t n,
                       std::uint16_t* to) noexcept;
    void (*tile_product)(const TileProduct& product) noexcept;

    // -- quantised activations of many tokens (ByteInput)
    // Columns first … first + n - 1 of at most kTile / lanes tokens, `lanes` of each, 1 or 2;
    // `first` a multiple of kInputColumns, n at most that and a multiple of 32.
    void (*pack_bytes)(const QuantisedRow* x, int n_tokens, int lanes, std::int64_t first, int n,
                       ByteInput* to) noexcept;
    // Only for types where has_dot_int.
    void (*int_panel)(DType type, const BytePanelProduct& product) noexcept;
    // A tile of results, those of a product in tiles or integers, to out[t * out_stride + r], for r
    // < n_rows and t < n_tokens.
    void (*put_tile)(const float* tile, int n_rows, int n_tokens, float* out,
                     std::int64_t out_stride) noexcept;

    // -- attention; types f32, f16, bf16 and q8_0 (whole blocks)
    // A block of keys turned over, [width, padded][kKeys]; keys beyond count become zeros.
    void (*pack_keys)(DType type, const KvRows& keys, float* out) noexcept;
    // A block of values, [count][width, padded].
    void (*pack_values)(DType type, const KvRows& values, float* out) noexcept;
    // Adds the keys of a block that each row sees to its softmax. A row's result does not depend on
    // the other rows: each of its sums runs over keys, and over d_head, in ascending order.
    void (*attend)(const KeyBlock& block, AttentionRow* rows, int n_rows) noexcept;

    // The same bits, from values as the cache has them (block.values is not looked at): what few
    // rows are best served by.
    void (*attend_stored)(DType type, const KeyBlock& block, const KvRows& values,
                          AttentionRow* rows, int n_rows) noexcept;

    // -- attention by bfloat16 tiles; the same types; attend_tiles is nullptr where there are
    // none
    // A block of keys, up to kTileKeys of them, as KeyTiles has them.
    void (*pack_key_tiles)(DType type, const KvRows& keys, std::uint16_t* out) noexcept;
    // A block of values. Where one is not finite: true, and `spoilt` is as KeyTiles has it.
    bool (*pack_value_tiles)(DType type, const KvRows& values, std::uint16_t* out,
                             std::uint8_t* spoilt) noexcept;
    // Adds the keys of a block that each row sees to its softmax. Queries, keys, values and weights
    // are rounded to bfloat16, sums are float32. A row's bits do not depend on the other rows.
    void (*attend_tiles)(const KeyTiles& block, const RowTiles& rows) noexcept;

    // -- elementwise
    void (*rms_norm)(const float* x, const float* weight, std::int64_t n, float eps,
                     float* out) noexcept;  // weight may be nullptr: all ones
    // The mean is taken off first; weight and bias may be nullptr.
    void (*layer_norm)(const float* x, const float* weight, const float* bias, std::int64_t n,
                       float eps, float* out) noexcept;
    // out = act(gate) * up; up may be nullptr: all ones
    void (*silu_mul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
    void (*gelu_tanh_mul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
    void (*gelu_erf_mul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
    // (up + 1) * gate * sigmoid(1.702 gate), gate at most limit, up within it
    void (*swiglu_clamped)(const float* gate, const float* up, std::int64_t n, float limit,
                           float* out) noexcept;
    void (*soft_cap)(float* x, std::int64_t n, float cap) noexcept;  // cap * tanh(x / cap)
    // Of at least one number. Each exponential is a float; they are added up in double.
    SoftmaxSum (*softmax_sum)(const float* x, std::int64_t n) noexcept;
    void (*add)(const float* x, std::int64_t n, float* acc) noexcept;  // acc += x
    void (*to_bf16)(const float* x, std::int64_t n, std::uint16_t* out) noexcept;
    void (*to_f16)(const float* x, std::int64_t n, std::uint16_t* out) noexcept;  // saturates

    // -- quantising
    // tensor/quant/encoding.h; the same bits on every table
    quant::SumLevels sum_levels;
    quant::MakeBlocks make_q8_0;
    quant::Encoding encoding(const float* importance) const {
        return {importance, sum_levels, make_q8_0};
    }
};

const Table& scalar();
const Table* avx2();         // nullptr when this build or this machine lacks it
const Table* avx512();       // AVX-512 F, BW, DQ, VL and VNNI
const Table* avx512_bf16();  // the same, and AVX-512 BF16 where that is faster than float32
const Table* amx();          // the same, and AMX TILE and BF16, with leave of the operating system

// Every table that works here, slowest first.
std::span<const Table* const> usable();

// The best one, or the one that HEFT_ISA names. An unknown or unusable HEFT_ISA is said on stderr
// once and the best one is used.
const Table& best();

}  // namespace heft::kernel
