#include "kernel/table.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "kernel/features.h"
#include "kernel/isa.h"
#include "tensor/quant/quant.h"

namespace heft::kernel {

namespace {

constexpr int kNone = -1;

// The index of a type's kernels, or kNone where only the reference can read the type.
constexpr int format_of(DType type) {
    switch (type) {
        case DType::f32: return static_cast<int>(Format::f32);
        case DType::f16: return static_cast<int>(Format::f16);
        case DType::bf16: return static_cast<int>(Format::bf16);
        case DType::f8_e4m3: return static_cast<int>(Format::f8_e4m3);
        case DType::gf8: return static_cast<int>(Format::gf8);
        case DType::gi8: return static_cast<int>(Format::gi8);
        case DType::gi4: return static_cast<int>(Format::gi4);
        case DType::q4_0: return static_cast<int>(Format::q4_0);
        case DType::q4_1: return static_cast<int>(Format::q4_1);
        case DType::q5_0: return static_cast<int>(Format::q5_0);
        case DType::q5_1: return static_cast<int>(Format::q5_1);
        case DType::q8_0: return static_cast<int>(Format::q8_0);
        case DType::q2_k: return static_cast<int>(Format::q2_k);
        case DType::q3_k: return static_cast<int>(Format::q3_k);
        case DType::q4_k: return static_cast<int>(Format::q4_k);
        case DType::q5_k: return static_cast<int>(Format::q5_k);
        case DType::q6_k: return static_cast<int>(Format::q6_k);
        case DType::iq4_nl: return static_cast<int>(Format::iq4_nl);
        case DType::iq4_xs: return static_cast<int>(Format::iq4_xs);
        case DType::mxfp4: return static_cast<int>(Format::mxfp4);
        case DType::f64:
        case DType::f8_e5m2:
        case DType::i64:
        case DType::i32:
        case DType::i16:
        case DType::i8:
        case DType::u64:
        case DType::u32:
        case DType::u16:
        case DType::u8:
        case DType::boolean:
        case DType::q8_1:
        case DType::q8_k:
        case DType::iq2_xxs:
        case DType::iq2_xs:
        case DType::iq2_s:
        case DType::iq3_xxs:
        case DType::iq3_s:
        case DType::iq1_s:
        case DType::iq1_m:
        case DType::tq1_0:
        case DType::tq2_0:
        case DType::nvfp4:
        case DType::q1_0:
        case DType::q2_0:
        case DType::gnf4:
        case DType::gfp4: return kNone;
    }
    return kNone;
}

bool has_dot_int(DType type) noexcept {
    return format_of(type) >= static_cast<int>(Format::q4_0);
}

constexpr std::int64_t kPiece = 1024;  // weights turned to float at a time; whole blocks

// The table's functions over the kernels of one instruction set.
template <const Isa& (*isa)()>
struct Calls {
    static const FormatKernels& kernels(DType type) { return isa().formats[format_of(type)]; }

    static void unpack(DType type, const void* from, std::int64_t n, float* to) noexcept {
        if (format_of(type) != kNone) return kernels(type).unpack(from, n, to);
        const Codec* reference = codec(type);
        HEFT_CHECK(reference != nullptr);
        reference->dequantise(from, n, to);
    }

    // A type without a float kernel of its own: piece by piece through a buffer.
    static void dot_pieces(DType type, const void* w, std::int64_t n, const float* x,
                           std::int64_t x_stride, int n_tokens, float* out) noexcept {
        const DTypeInfo& info = dtype_info(type);
        const auto* bytes = static_cast<const std::byte*>(w);
        float piece[kPiece];
        for (int t = 0; t < n_tokens; ++t) out[t] = 0;
        for (std::int64_t k = 0; k < n; k += kPiece) {
            const std::int64_t count = n - k < kPiece ? n - k : kPiece;
            unpack(type, bytes + k / info.block * info.block_bytes, count, piece);
            for (int t = 0; t < n_tokens; ++t) {
                float sum = 0;
                kernels(DType::f32).dot(piece, count, x + t * x_stride + k, x_stride, 1, &sum);
                out[t] += sum;
            }
        }
    }

    static void dot(DType type, const void* w, std::int64_t n, const float* x,
                    std::int64_t x_stride, int n_tokens, float* out) noexcept {
        if (format_of(type) != kNone && kernels(type).dot != nullptr)
            return kernels(type).dot(w, n, x, x_stride, n_tokens, out);
        dot_pieces(type, w, n, x, x_stride, n_tokens, out);
    }

    static void dot_rows(DType type, const void* const* w, int n_rows, std::int64_t n,
                         const float* x, int prefetch, float* out) noexcept {
        if (format_of(type) != kNone && kernels(type).dot_rows != nullptr)
            return kernels(type).dot_rows(w, n_rows, n, x, prefetch, out);
        for (int r = 0; r < n_rows; ++r) dot_pieces(type, w[r], n, x, 0, 1, out + r);
    }

    static void dot_int(DType type, const IntProduct& product) noexcept {
        kernels(type).dot_int(product);
    }

    static void int_panel(DType type, const BytePanelProduct& product) noexcept {
        kernels(type).int_panel(product);
    }

    static bool has_tiles(DType type) noexcept {
        const TileKernels* tiles = isa().tiles;
        return tiles != nullptr && type != DType::f32
               && (tiles->instead_of_integers || !has_dot_int(type));
    }

    static void unpack_tiles(DType type, const TileRows& rows) noexcept {
        const auto* from = static_cast<const std::byte*>(rows.from);
        std::uint16_t* to = rows.to;
        const TileKernels::Unpack unpack =
            format_of(type) == kNone ? nullptr : isa().tiles->unpack[format_of(type)];
        for (int r = 0; r < rows.n_rows; ++r, from += rows.stride, to += kTileCols)
            if (unpack != nullptr)
                unpack(from, rows.n, to, rows.step);
            else
                tiles_by_floats(type, from, rows.n, to, rows.step);
    }

    static void tiles_by_floats(DType type, const std::byte* from, std::int64_t n,
                                std::uint16_t* to, std::int64_t step) noexcept {
        const DTypeInfo& info = dtype_info(type);
        float piece[kPiece];
        for (std::int64_t k = 0; k < n; k += kPiece, to += kPiece / kTileCols * step) {
            const std::int64_t count = n - k < kPiece ? n - k : kPiece;
            unpack(type, from + k / info.block * info.block_bytes, count, piece);
            isa().tiles->from_floats(piece, count, to, step);
        }
    }

    // The kernels for a type of cache, in the kernels of one kind.
    template <class Kernels>
    static const auto& kv(DType type, const Kernels& kernels) {
        switch (type) {
            case DType::f16: return kernels.kv_f16;
            case DType::bf16: return kernels.kv_bf16;
            case DType::q8_0: return kernels.kv_q8_0;
            default: return kernels.kv_f32;
        }
    }

    // NOLINTBEGIN(readability-function-size): the parameters are the table's
    static void gemm_panel(const float* w, int n_rows, std::int64_t n, const float* x,
                           std::int64_t x_stride, int n_tokens, float* out,
                           std::int64_t out_stride) noexcept {
        for (std::int64_t k = 0; k < n; k += kPanelCols) {
            const auto n_cols = static_cast<int>(n - k < kPanelCols ? n - k : kPanelCols);
            isa().panel(
                {w + k, n, n_rows, n_cols, x + k, x_stride, n_tokens, out, out_stride, k != 0});
        }
    }
    // NOLINTEND(readability-function-size)

    static void pack_keys(DType type, const KvRows& keys, float* out) noexcept {
        kv(type, isa()).pack_keys(keys, out);
    }

    static void pack_values(DType type, const KvRows& values, float* out) noexcept {
        kv(type, isa()).pack_values(values, out);
    }

    static void attend_stored(DType type, const KeyBlock& block, const KvRows& values,
                              AttentionRow* rows, int n_rows) noexcept {
        kv(type, isa()).attend_stored(block, values, rows, n_rows);
    }

    static void pack_key_tiles(DType type, const KvRows& keys, std::uint16_t* out) noexcept {
        kv(type, *isa().tiles).pack_keys(keys, out);
    }

    static bool pack_value_tiles(DType type, const KvRows& values, std::uint16_t* out,
                                 std::uint8_t* spoilt) noexcept {
        return kv(type, *isa().tiles).pack_values(values, out, spoilt);
    }
};

template <const Isa& (*isa)()>
Table make_table() {
    using C = Calls<isa>;
    const Isa& i = isa();
    const TileKernels no_tiles{};
    const TileKernels& tiles = i.tiles != nullptr ? *i.tiles : no_tiles;
    return {.name = i.name,
            .unpack = C::unpack,
            .dot = C::dot,
            .has_dot_int = has_dot_int,
            .dot_int = C::dot_int,
            .quantise_row = i.quantise_row,
            .turn_row = i.turn_row,
            .dot_rows = C::dot_rows,
            .panel = i.panel,
            .gemm_panel = C::gemm_panel,
            .has_tiles = C::has_tiles,
            .unpack_tiles = C::unpack_tiles,
            .pack_tiles = tiles.pack,
            .tile_product = tiles.product,
            .pack_bytes = i.pack_bytes,
            .int_panel = C::int_panel,
            .put_tile = i.put_tile,
            .pack_keys = C::pack_keys,
            .pack_values = C::pack_values,
            .attend = i.attend,
            .attend_stored = C::attend_stored,
            .pack_key_tiles = C::pack_key_tiles,
            .pack_value_tiles = C::pack_value_tiles,
            .attend_tiles = tiles.attend,
            .rms_norm = i.rms_norm,
            .layer_norm = i.layer_norm,
            .silu_mul = i.silu_mul,
            .gelu_tanh_mul = i.gelu_tanh_mul,
            .gelu_erf_mul = i.gelu_erf_mul,
            .swiglu_clamped = i.swiglu_clamped,
            .soft_cap = i.soft_cap,
            .softmax_sum = i.softmax_sum,
            .add = i.add,
            .to_bf16 = i.to_bf16,
            .to_f16 = i.to_f16,
            .sum_levels = i.sum_levels,
            .make_q8_0 = i.make_q8_0};
}

#if defined(HEFT_KERNEL_X86)
Isa with_tiles(const Isa& base, const char* name, const TileKernels& tiles) {
    Isa out = base;
    out.name = name;
    out.tiles = &tiles;
    return out;
}

const Isa& isa_with_bf16() {
    static const Isa kIsa = with_tiles(avx512_isa::isa(), "avx512_bf16", avx512_bf16_isa::tiles());
    return kIsa;
}

const Isa& isa_with_amx() {
    static const Isa kIsa = with_tiles(avx512_isa::isa(), "amx", amx_isa::tiles());
    return kIsa;
}

template <const Isa& (*isa)()>
const Table* table_if(bool runs) {
    static const Table kTable = make_table<isa>();
    return runs ? &kTable : nullptr;
}
#endif

std::vector<const Table*> find_usable() {
    std::vector<const Table*> out;
    for (const Table* table : {&scalar(), avx2(), avx512(), avx512_bf16(), amx()})
        if (table != nullptr) out.push_back(table);
    return out;
}

const Table& choose() {
    const Table& fastest = *usable().back();
    const char* wanted = std::getenv("HEFT_ISA");
    if (wanted == nullptr || *wanted == '\0') return fastest;
    for (const Table* table : usable())
        if (std::strcmp(table->name, wanted) == 0) return *table;
    std::fprintf(stderr, "HEFT_ISA=%s cannot run here; using %s\n", wanted, fastest.name);
    return fastest;
}

}  // namespace

const Table& scalar() {
    static const Table kTable = make_table<scalar_isa::isa>();
    return kTable;
}

#if defined(HEFT_KERNEL_X86)
const Table* avx2() {
    return table_if<avx2_isa::isa>(has_avx2());
}

const Table* avx512() {
    return table_if<avx512_isa::isa>(has_avx512());
}

const Table* avx512_bf16() {
    return table_if<isa_with_bf16>(has_fast_avx512_bf16());
}

const Table* amx() {
    return table_if<isa_with_amx>(has_amx());
}
#else
const Table* avx2() {
    return nullptr;
}
const Table* avx512() {
    return nullptr;
}
const Table* avx512_bf16() {
    return nullptr;
}
const Table* amx() {
    return nullptr;
}
#endif

std::span<const Table* const> usable() {
    static const std::vector<const Table*> kTables = find_usable();
    return kTables;
}

const Table& best() {
    static const Table& chosen = choose();
    return chosen;
}

}  // namespace heft::kernel
