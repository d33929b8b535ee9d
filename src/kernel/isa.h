// What the translation unit of one instruction set exports. Plain, like types.h; the tables of
// table.h are made from this.
#pragma once

#include <cstdint>

#include "kernel/types.h"
#include "tensor/quant/encoding.h"

namespace heft::kernel {

enum class Format : std::uint8_t {
    f32,
    f16,
    bf16,
    f8_e4m3,
    gf8,
    gi8,
    gi4,
    q4_0,  // from here on: multiplied in integers
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
    iq4_nl,
    iq4_xs,
    mxfp4,
};
inline constexpr int kFormats = 20;

struct FormatKernels {
    void (*unpack)(const void* from, std::int64_t n, float* to) noexcept;
    // Float formats:
    void (*dot)(const void* w, std::int64_t n, const float* x, std::int64_t x_stride, int n_tokens,
                float* out) noexcept;
    void (*dot_rows)(const void* const* w, int n_rows, std::int64_t n, const float* x, int prefetch,
                     float* out) noexcept;
    // Quantised formats:
    void (*dot_int)(const IntProduct& product) noexcept;
    void (*int_panel)(const BytePanelProduct& product) noexcept;
};

struct KvTileKernels {
    void (*pack_keys)(const KvRows& keys, std::uint16_t* out) noexcept;
    bool (*pack_values)(const KvRows& values, std::uint16_t* out, std::uint8_t* spoilt) noexcept;
};

// Products of bfloat16 tiles; see table.h.
struct TileKernels {
    using Unpack = void (*)(const void* from, std::int64_t n, std::uint16_t* to,
                            std::int64_t step) noexcept;
    Unpack unpack[kFormats];  // nullptr: by way of floats
    void (*from_floats)(const float* from, std::int64_t n, std::uint16_t* to,
                        std::int64_t step) noexcept;
    void (*pack)(const float* x, std::int64_t x_stride, int n_tokens, std::int64_t n,
                 std::uint16_t* to) noexcept;
    void (*product)(const TileProduct& product) noexcept;
    KvTileKernels kv_f32;
    KvTileKernels kv_f16;
    KvTileKernels kv_bf16;
    KvTileKernels kv_q8_0;
    void (*attend)(const KeyTiles& block, const RowTiles& rows) noexcept;
    bool instead_of_integers;  // faster than int_panel too, for many tokens
};

struct KvKernels {
    void (*pack_keys)(const KvRows& keys, float* out) noexcept;
    void (*pack_values)(const KvRows& values, float* out) noexcept;
    void (*attend_stored)(const KeyBlock& block, const KvRows& values, AttentionRow* rows,
                          int n_rows) noexcept;
};

struct Isa {
    const char* name;
    FormatKernels formats[kFormats];
    KvKernels kv_f32;
    KvKernels kv_f16;
    KvKernels kv_bf16;
    KvKernels kv_q8_0;
    void (*attend)(const KeyBlock& block, AttentionRow* rows, int n_rows) noexcept;
    void (*quantise_row)(const float* x, std::int64_t n, const QuantisedRoom& to) noexcept;
    void (*turn_row)(const QuantisedRow& x, std::int64_t n, InputChunk* out) noexcept;
    void (*pack_bytes)(const QuantisedRow* x, int n_tokens, int lanes, std::int64_t first, int n,
                       ByteInput* to) noexcept;
    void (*put_tile)(const float* tile, int n_rows, int n_tokens, float* out,
                     std::int64_t out_stride) noexcept;
    void (*panel)(const PanelProduct& product) noexcept;
    void (*rms_norm)(const float* x, const float* weight, std::int64_t n, float eps,
                     float* out) noexcept;
    void (*silu_mul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
    void (*gelu_tanh_mul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
    void (*gelu_erf_mul)(const float* gate, const float* up, std::int64_t n, float* out) noexcept;
    void (*swiglu_clamped)(const float* gate, const float* up, std::int64_t n, float limit,
                           float* out) noexcept;
    void (*soft_cap)(float* x, std::int64_t n, float cap) noexcept;
    SoftmaxSum (*softmax_sum)(const float* x, std::int64_t n) noexcept;
    void (*layer_norm)(const float* x, const float* weight, const float* bias, std::int64_t n,
                       float eps, float* out) noexcept;
    void (*add)(const float* x, std::int64_t n, float* acc) noexcept;
    void (*to_bf16)(const float* x, std::int64_t n, std::uint16_t* out) noexcept;
    void (*to_f16)(const float* x, std::int64_t n, std::uint16_t* out) noexcept;
    quant::SumLevels sum_levels;
    quant::MakeBlocks make_q8_0;
    const TileKernels* tiles;  // nullptr: none
};

}  // namespace heft::kernel

namespace heft::kernel::scalar_isa {
const Isa& isa();
}
namespace heft::kernel::avx2_isa {
const Isa& isa();
}
namespace heft::kernel::avx512_isa {
const Isa& isa();
}
namespace heft::kernel::avx512_bf16_isa {
const TileKernels& tiles();
}
namespace heft::kernel::amx_isa {
const TileKernels& tiles();
}
