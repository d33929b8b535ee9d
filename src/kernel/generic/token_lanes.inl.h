// What products whose lanes are tokens share: rows decoded as they are stored, activations turned
// so that 16 tokens lie side by side, results turned back.
#pragma once

#include "kernel/generic/int_dot.inl.h"

namespace heft::kernel {
namespace {

// A chunk's weights as they are stored: (codes[i] + taken_off - kZero) * scale[i / 16] +
// below[i / 16], where codes are signed bytes.
template <class L, class Format, int taken_off>
struct StoredChunk {
    static_assert(!Format::kHasMinimum || Format::kZero == 0);
    alignas(64) std::uint8_t codes[kChunk];
    alignas(64) float scale[kChunk / 16];
    alignas(64) float below[kChunk / 16];  // the minimum, negative

    HEFT_INLINE void decode(const std::uint8_t* from) {
        Chunk<L> chunk;
        Format::decode(from, chunk);
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            L::store_codes(codes + 64 * j.value, L::template less<taken_off>(chunk.codes[j.value]));
        });
        unroll<kChunk / 16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
            L::store(scale + i.value * L::kWidth, chunk.scale.v[i.value]);
            if constexpr (Format::kHasMinimum)
                L::store(below + i.value * L::kWidth, -chunk.minimum.v[i.value]);
        });
    }
};

// 256 columns of at most kTile tokens, or as many as `n` says there are from `first` on.
template <class L>
void pack_bytes(const QuantisedRow* x, int n_tokens, std::int64_t first, int n,
                ByteInput* to) noexcept {
    alignas(64) std::int8_t q[kTile][kInputColumns] = {};
    __builtin_memset(to, 0, sizeof *to);
    for (int t = 0; t < n_tokens; ++t) {
        __builtin_memcpy(q[t], x[t].q + first, static_cast<std::size_t>(n));
        for (int i = 0; i < n / 32; ++i) {
            to->scale[i][t] = x[t].scale[first / 32 + i];
            to->scaled32[i][t] = x[t].scaled32[first / 32 + i];
        }
        for (int i = 0; i < n / 16; ++i) {
            to->scaled16[i][t] = x[t].scaled16[first / 16 + i];
            to->minus_sum[i][t] = -x[t].sum16[first / 16 + i];
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
