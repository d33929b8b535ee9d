// What products whose lanes are tokens share: rows decoded as they are stored, activations turned
// so that 16 tokens lie side by side, results turned back.
#pragma once

#include "kernel/generic/int_dot.inl.h"

namespace heft::kernel {
namespace {

// A chunk's weights: codes less taken_off, and minima negative.
template <class L, class Format, int taken_off>
HEFT_INLINE Chunk<L> decoded(const std::uint8_t* from) {
    Chunk<L> chunk;
    Format::decode(from, chunk);
    unroll<4>([&](auto j) __attribute__((always_inline)) {
        chunk.codes[j.value] = L::template less<taken_off>(chunk.codes[j.value]);
    });
    if constexpr (Format::kHasMinimum) chunk.minimum = times<L>(chunk.minimum, -1.0F);
    return chunk;
}

// A chunk's weights as they are stored: (codes[i] + taken_off - kZero) * scale[i / 16] +
// below[i / 16], where codes are signed bytes.
template <class L, class Format, int taken_off>
struct StoredChunk {
    static_assert(!Format::kHasMinimum || Format::kZero == 0);
    alignas(64) std::uint8_t codes[kChunk];
    alignas(64) float scale[kChunk / 16];
    alignas(64) float below[kChunk / 16];  // the minimum, negative

    HEFT_INLINE void decode(const std::uint8_t* from) {
        const Chunk<L> chunk = decoded<L, Format, taken_off>(from);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            L::store_codes(codes + 64 * j.value, chunk.codes[j.value]);
        });
        store(chunk.scale, scale);
        if constexpr (Format::kHasMinimum) store(chunk.minimum, below);
    }

  private:
    static HEFT_INLINE void store(const typename L::Groups& groups, float* to) {
        unroll<kChunk / 16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
            L::store(to + i.value * L::kWidth, groups.v[i.value]);
        });
    }
};

// The columns of a panel's rows that are read next, asked for one at a time: all at once, they
// wait for one another, and what is wanted now waits for them.
template <class Format>
struct RowsToCome {
    const std::uint8_t* at;
    std::int64_t row_bytes;

    HEFT_INLINE void fetch(int row) const {
        constexpr int kWholeLines = kChunkBytes<Format> + 63;  // wherever in a line they begin
        prefetch_bytes<kWholeLines>(at + row * row_bytes);
    }
};

// 256 columns of at most kTile / lanes tokens, or as many as `n` says there are from `first` on.
template <class L>
void pack_bytes(const QuantisedRow* tokens, int n_tokens, int lanes, std::int64_t first, int n,
                ByteInput* to) noexcept {
    alignas(64) std::int8_t q[kTile][kInputColumns] = {};
    __builtin_memset(to, 0, sizeof *to);
    for (int t = 0; t < n_tokens * lanes; ++t) {
        const QuantisedRow& x = tokens[t / lanes];
        __builtin_memcpy(q[t], x.q + first, static_cast<std::size_t>(n));
        for (int i = 0; i < n / 32; ++i) {
            to->scale[i][t] = x.scale[first / 32 + i];
            to->scaled32[i][t] = x.scaled32[first / 32 + i];
        }
        for (int i = 0; i < n / 16; ++i) {
            to->scaled16[i][t] = x.scaled16[first / 16 + i];
            to->minus_sum[i][t] = -x.sum16[first / 16 + i];
        }
    }
    // Four columns are as wide as a float, and moved as one.
    const auto* from = reinterpret_cast<const float*>(q);
    auto* quads = reinterpret_cast<float*>(to->q);
    for (int t = 0; t < kTile; t += L::kWidth)
        for (int k = 0; k < kInputColumns / 4; k += L::kWidth)
            L::transpose(from + t * (kInputColumns / 4) + k, kInputColumns / 4,
                         quads + k * kTile + t, kTile);
}

// A tile of results to out[token][row].
template <class L>
void put_tile(const float* tile, int n_rows, int n_tokens, float* out,
              std::int64_t out_stride) noexcept {
    if (n_rows < kTile || n_tokens < kTile) {
        for (int t = 0; t < n_tokens; ++t)
            for (int r = 0; r < n_rows; ++r) out[t * out_stride + r] = tile[r * kTile + t];
        return;
    }
    for (int t = 0; t < kTile; t += L::kWidth)
        for (int r = 0; r < kTile; r += L::kWidth)
            L::transpose(tile + r * kTile + t, kTile, out + t * out_stride + r, out_stride);
}

}  // namespace
}  // namespace heft::kernel
