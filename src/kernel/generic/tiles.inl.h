// Bfloat16 tiles (types.h): weights unpacked into them with their scales folded in, activations
// packed into them once for all rows.
#pragma once

#include "kernel/generic/attention_tiles.inl.h"
#include "kernel/generic/float_dot.inl.h"
#include "kernel/generic/grouped.inl.h"
#include "kernel/generic/int_dot.inl.h"
#include "kernel/generic/tile_walk.inl.h"
#include "kernel/generic/token_lanes.inl.h"

namespace heft::kernel {
namespace {

// Every 32 numbers, of which the last may be few, go to 32 places `step` numbers after those
// before.
template <class L, class Stored>
void float_tiles(const void* from, std::int64_t n, std::uint16_t* to, std::int64_t step) noexcept {
    const auto* at = static_cast<const std::uint8_t*>(from);
    std::int64_t k = 0;
    for (; k + kTileCols <= n; k += kTileCols, at += kTileCols * Stored::kBytes, to += step)
        L::to_bf16_pair(Stored::load(at), Stored::load(at + L::kWidth * Stored::kBytes), to);
    if (k == n) return;
    std::uint8_t rest[kTileCols * Stored::kBytes] = {};
    __builtin_memcpy(rest, at, static_cast<std::size_t>(n - k) * Stored::kBytes);
    L::to_bf16_pair(Stored::load(rest), Stored::load(rest + L::kWidth * Stored::kBytes), to);
}

// Bfloat16 as it is stored.
inline void same_tiles(const void* from, std::int64_t n, std::uint16_t* to,
                       std::int64_t step) noexcept {
    const auto* at = static_cast<const std::uint8_t*>(from);
    constexpr std::size_t kBytes = kTileCols * sizeof(std::uint16_t);
    std::int64_t k = 0;
    for (; k + kTileCols <= n; k += kTileCols, at += kBytes, to += step)
        __builtin_memcpy(to, at, kBytes);
    if (k == n) return;
    std::uint16_t rest[kTileCols] = {};
    __builtin_memcpy(rest, at, static_cast<std::size_t>(n - k) * sizeof(std::uint16_t));
    __builtin_memcpy(to, rest, kBytes);
}

template <class L>
void tiles_of_floats(const float* from, std::int64_t n, std::uint16_t* to,
                     std::int64_t step) noexcept {
    float_tiles<L, Float32<L>>(from, n, to, step);
}

// A chunk's weights, to be made numbers of.
template <class Format>
inline constexpr bool kByTable = Format::kMostCode < 32;

template <class L, class Format>
struct ChunkWeights : StoredChunk<L, Format, kByTable<Format> ? 0 : Format::kZero> {
    static_assert(L::kWidth == 16);
    using F = typename L::F;
    using Stored = StoredChunk<L, Format, kByTable<Format> ? 0 : Format::kZero>;
    using Stored::below;
    using Stored::codes;
    using Stored::scale;

    HEFT_INLINE explicit ChunkWeights(const std::uint8_t* from) { Stored::decode(from); }

    // One rounding, as the reference makes: the product is exact.
    HEFT_INLINE F value(F code, int group) const {
        if constexpr (Format::kHasMinimum)
            return L::fma(code, L::set(scale[group]), L::set(below[group]));
        constexpr float kZero = kByTable<Format> ? Format::kZero : 0;
        return (kZero == 0 ? code : code - L::set(kZero)) * L::set(scale[group]);
    }

    HEFT_INLINE void put(std::int64_t n, std::uint16_t* to, std::int64_t step) const {
        for (int i = 0; i < n; i += kTileCols, to += step)
            L::to_bf16_pair(value(L::from_i8(codes + i), i / 16),
                            value(L::from_i8(codes + i + 16), i / 16 + 1), to);
    }

    // The same for codes of few bits: a table holds what they stand for, in 16 places for each
    // group's codes, or in all 32 for those of one group.
    HEFT_INLINE void look_up(std::int64_t n, std::uint16_t* to, std::int64_t step) const {
        constexpr bool kWide = Format::kMostCode > 15;
        constexpr int kCols = Format::kGroup * (kWide ? 1 : 2);  // that share a table
        static_assert(kByTable<Format> && kCols % kTileCols == 0);
        const F low = L::count(0);
        for (int i = 0; i < n; i += kCols) {
            const int second = kWide ? i / 16 : i / 16 + Format::kGroup / 16;
            const auto table =
                L::bf16_table(value(low, i / 16), value(kWide ? L::count(16) : low, second));
            L::look_up(codes + i, table, 0, kCols == kTileCols && !kWide ? 16 : 0, to);
            to += step;
            if (kCols == kTileCols || i + kTileCols >= n) continue;
            L::look_up(codes + i + kTileCols, table, 16, 16, to);
            to += step;
        }
    }

    // All 256, of which low nibbles are one group and high ones the next.
    HEFT_INLINE void look_up_nibbles(const std::uint8_t* from, std::uint16_t* to,
                                     std::int64_t step) const {
        constexpr int kBoth = 2 * Format::kGroup;
        static_assert(Format::kGroup == kTileCols && Format::kWeights == kChunk);
        const F low = L::count(0);
        for (int i = 0; i < kChunk; i += kBoth, to += 2 * step)
            L::look_up_nibbles(
                Format::nibbles(from, i),
                L::bf16_table(value(low, i / 16), value(low, (i + Format::kGroup) / 16)), to,
                to + step);
    }
};

// Codes that lie in nibbles of which a table can take them as they are stored.
template <class Format>
concept HasNibbles = requires(const std::uint8_t* at) {
    Format::nibbles(at, 0);
};

// The first n of a chunk's 256 weights: a multiple of 32.
template <class L, class Format>
HEFT_INLINE void chunk_tiles(const std::uint8_t* from, std::int64_t n, std::uint16_t* to,
                             std::int64_t step) {
    const ChunkWeights<L, Format> weights(from);
    if constexpr (HasNibbles<Format>)
        weights.look_up_nibbles(from, to, step);
    else if constexpr (kByTable<Format>)
        weights.look_up(n, to, step);
    else
        weights.put(n, to, step);
}

template <class L, class Format>
void quantised_tiles(const void* from, std::int64_t n, std::uint16_t* to,
                     std::int64_t step) noexcept {
    const auto* bytes = static_cast<const std::uint8_t*>(from);
    std::int64_t k = 0;
    for (; k + kChunk <= n; k += kChunk, bytes += kChunkBytes<Format>) {
        chunk_tiles<L, Format>(bytes, kChunk, to, step);
        to += kChunk / kTileCols * step;
    }
    if (Format::kWeights == kChunk || k == n) return;
    const PaddedWeights<Format> padded(bytes, n - k);
    chunk_tiles<L, Format>(padded.bytes, n - k, to, step);
}

// Up to 16 tokens of n activations, as tiles side by side; what is missing is zero.
template <class L>
void pack_tiles(const float* x, std::int64_t x_stride, int n_tokens, std::int64_t n,
                std::uint16_t* to) noexcept {
    alignas(64) std::uint16_t rows[kTile][kTileCols];
    __builtin_memset(rows, 0, sizeof rows);
    for (std::int64_t k = 0; k < n; k += kTileCols, to += kTileNumbers) {
        const std::int64_t count = n - k < kTileCols ? n - k : kTileCols;
        for (int t = 0; t < n_tokens; ++t)
            float_tiles<L, Float32<L>>(x + t * x_stride + k, count, rows[t], 0);
        // A pair of numbers is as wide as a float, and moved as one.
        L::transpose(reinterpret_cast<const float*>(rows), kTile, reinterpret_cast<float*>(to),
                     kTile);
    }
}

template <class L, class Row>
constexpr KvTileKernels kv_tile_kernels() {
    return {pack_key_tiles<L, Row>, pack_value_tiles<L, Row>};
}

template <class L, class Block>
constexpr TileKernels make_tiles(bool instead_of_integers) {
    TileKernels out{};
    const auto set = [&out](Format format, TileKernels::Unpack unpack) {
        out.unpack[static_cast<int>(format)] = unpack;
    };
    set(Format::f32, float_tiles<L, Float32<L>>);
    set(Format::f16, float_tiles<L, Float16<L>>);
    set(Format::bf16, same_tiles);
    set(Format::f8_e4m3, float_tiles<L, Float8<L>>);
    set(Format::q4_0, quantised_tiles<L, Q40<L>>);
    set(Format::q4_1, quantised_tiles<L, Q41<L>>);
    set(Format::q5_0, quantised_tiles<L, Q50<L>>);
    set(Format::q5_1, quantised_tiles<L, Q51<L>>);
    set(Format::q8_0, quantised_tiles<L, Q80<L>>);
    set(Format::q2_k, quantised_tiles<L, Q2K<L>>);
    set(Format::q3_k, quantised_tiles<L, Q3K<L>>);
    set(Format::q4_k, quantised_tiles<L, Q4K<L>>);
    set(Format::q5_k, quantised_tiles<L, Q5K<L>>);
    set(Format::q6_k, quantised_tiles<L, Q6K<L>>);
    set(Format::iq4_nl, quantised_tiles<L, Iq4Nl<L>>);
    set(Format::iq4_xs, quantised_tiles<L, Iq4Xs<L>>);
    set(Format::mxfp4, quantised_tiles<L, Mxfp4<L>>);
    out.from_floats = tiles_of_floats<L>;
    out.pack = pack_tiles<L>;
    out.product = tile_product<Block>;
    out.kv_f32 = kv_tile_kernels<L, KvFloats<L, Float32<L>>>();
    out.kv_f16 = kv_tile_kernels<L, KvFloats<L, Float16<L>>>();
    out.kv_bf16 = kv_tile_kernels<L, KvFloats<L, BFloat16<L>>>();
    out.kv_q8_0 = kv_tile_kernels<L, KvQ80<L>>();
    out.attend = attend_tiles<L, Block>;
    out.instead_of_integers = instead_of_integers;
    return out;
}

}  // namespace
}  // namespace heft::kernel
