// A table whose tiles of bytes are made of arrays, for tests: what runs on AMX but for its
// instructions.
#pragma once

#include "kernel/array_registers.h"
#include "kernel/cpu/lanes_scalar.inl.h"
#include "kernel/generic/byte_tiles.inl.h"
#include "kernel/generic/k_formats.inl.h"
#include "kernel/table.h"

namespace heft::kernel {
namespace {

template <template <class> class Format>
constexpr auto kArrayPanel = byte_panel<ScalarLanes, Format<ScalarLanes>, ArrayRegisters>;

inline void array_byte_panel(DType type, const BytePanelProduct& product) noexcept {
    switch (type) {
        case DType::q4_0: return kArrayPanel<Q40>(product);
        case DType::q4_1: return kArrayPanel<Q41>(product);
        case DType::q5_0: return kArrayPanel<Q50>(product);
        case DType::q5_1: return kArrayPanel<Q51>(product);
        case DType::q8_0: return kArrayPanel<Q80>(product);
        case DType::q2_k: return kArrayPanel<Q2K>(product);
        case DType::q3_k: return kArrayPanel<Q3K>(product);
        case DType::q4_k: return kArrayPanel<Q4K>(product);
        case DType::q5_k: return kArrayPanel<Q5K>(product);
        case DType::q6_k: return kArrayPanel<Q6K>(product);
        case DType::iq4_nl: return kArrayPanel<Iq4Nl>(product);
        case DType::iq4_xs: return kArrayPanel<Iq4Xs>(product);
        case DType::mxfp4: return kArrayPanel<Mxfp4>(product);
        default: return;
    }
}

inline void array_put_tile(const float* tile, int n_rows, int n_tokens, float* out,
                           std::int64_t out_stride) noexcept {
    for (int t = 0; t < n_tokens; ++t)
        for (int r = 0; r < n_rows; ++r) out[t * out_stride + r] = tile[r * kTile + t];
}

inline Table with_array_byte_tiles(const Table& base) {
    Table out = base;
    out.has_byte_tiles = base.has_dot_int;
    out.byte_panel = array_byte_panel;
    out.pack_bytes = pack_bytes<ScalarLanes>;
    out.put_tile = array_put_tile;
    return out;
}

}  // namespace
}  // namespace heft::kernel
