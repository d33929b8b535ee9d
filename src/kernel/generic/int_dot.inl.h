// Integer dot products and the unpacking of quantised formats: the walk over chunks of 256 weights.
// R rows or T tokens at once; a sum never depends on what else was computed beside it.
#pragma once

#include "kernel/generic/formats.inl.h"

namespace heft::kernel {
namespace {

inline constexpr int kChunk = 256;

template <class Format>
inline constexpr int kChunkBytes =
    kChunk / Format::kWeights* static_cast<int>(sizeof(typename Format::Block));

// What a chunk of one token's activations adds to every row.
template <class L>
struct ChunkInput {
    const std::int8_t* q;
    typename L::Groups scale;
    typename L::Groups scaled_sum;  // scale * sum of q, for the minima
    typename L::GroupInts offset;   // -kZero * sum of q
};

template <class L, class Format>
HEFT_INLINE ChunkInput<L> chunk_input(const std::int8_t* q, const float* scale,
                                      const std::int16_t* sum16) {
    ChunkInput<L> in;
    in.q = q;
    in.scale = L::twice_floats(scale);
    const typename L::GroupInts sums = L::i16(sum16);
    in.offset = sums;
    if constexpr (Format::kHasMinimum) in.scaled_sum = times<L>(in.scale, to_float<L>(sums));
    unroll<16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
        in.offset.v[i.value] *= -Format::kZero;
    });
    return in;
}

template <class L>
struct IntSum {
    typename L::F v[2];
};

template <class L, class Format>
HEFT_INLINE void add_chunk(const Chunk<L>& w, const ChunkInput<L>& x, IntSum<L>& sum) {
    const typename L::Groups scale = times<L>(w.scale, x.scale);
    if constexpr (Format::kHasMinimum) {
        unroll<16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
            sum.v[1] = L::fma(-w.minimum.v[i.value], x.scaled_sum.v[i.value], sum.v[1]);
        });
    }
    unroll<4>([&](auto j) __attribute__((always_inline)) {
        L::template dot64<j.value, Format::kZero>(w.codes[j.value], x.q + 64 * j.value, scale,
                                                  x.offset, sum.v);
    });
}

// The last blocks of a row that is not a whole number of chunks, filled up with zeros.
template <class Format>
struct PaddedWeights {
    std::uint8_t bytes[kChunkBytes<Format>] = {};
    HEFT_INLINE PaddedWeights(const std::uint8_t* from, std::int64_t n) {
        const auto count = static_cast<std::size_t>(n / Format::kWeights);
        __builtin_memcpy(bytes, from, count * sizeof(typename Format::Block));
    }
};

struct PaddedInput {
    std::int8_t q[kChunk] = {};
    float scale[kChunk / 32] = {};
    std::int16_t sum16[kChunk / 16] = {};
    HEFT_INLINE PaddedInput(const QuantisedRow& x, std::int64_t at, std::int64_t n) {
        const auto count = static_cast<std::size_t>(n);
        __builtin_memcpy(q, x.q + at, count);
        __builtin_memcpy(scale, x.scale + at / 32, count / 32 * sizeof(float));
        __builtin_memcpy(sum16, x.sum16 + at / 16, count / 16 * sizeof(std::int16_t));
    }
};

// out[r * n_tokens + t] for R rows and T tokens; one of the two is 1.
template <class L, class Format, int rows, int tokens>
void int_tile(const void* const* w, std::int64_t n, const QuantisedRow* x, float* out) {
    IntSum<L> sums[rows * tokens] = {};
    const std::int64_t whole = n - n % kChunk;
    const std::uint8_t* row[rows];
    unroll<rows>([&](auto r) __attribute__((always_inline)) {
        row[r.value] = static_cast<const std::uint8_t*>(w[r.value]);
    });
    for (std::int64_t k = 0; k < whole; k += kChunk) {
        ChunkInput<L> in;
        if constexpr (tokens == 1)
            in = chunk_input<L, Format>(x->q + k, x->scale + k / 32, x->sum16 + k / 16);
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            Chunk<L> chunk;
            Format::decode(row[r.value], chunk);
            row[r.value] += kChunkBytes<Format>;
            unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                const QuantisedRow& token = x[t.value];
                if constexpr (tokens != 1)
                    in = chunk_input<L, Format>(token.q + k, token.scale + k / 32,
                                                token.sum16 + k / 16);
                add_chunk<L, Format>(chunk, in, sums[r.value * tokens + t.value]);
            });
        });
    }
    if (Format::kWeights != kChunk && whole != n) {
        for (int r = 0; r < rows; ++r) {
            const PaddedWeights<Format> padded(row[r], n - whole);
            Chunk<L> chunk;
            Format::decode(padded.bytes, chunk);
            for (int t = 0; t < tokens; ++t) {
                const PaddedInput rest(x[t], whole, n - whole);
                const auto in = chunk_input<L, Format>(rest.q, rest.scale, rest.sum16);
                add_chunk<L, Format>(chunk, in, sums[r * tokens + t]);
            }
        }
    }
    for (int i = 0; i < rows * tokens; ++i) out[i] = total<L>(sums[i].v);
}

template <class L, class Format>
void dot_int(const void* w, std::int64_t n, const QuantisedRow* x, int n_tokens,
             float* out) noexcept {
    int t = 0;
    for (; t + 4 <= n_tokens; t += 4) int_tile<L, Format, 1, 4>(&w, n, x + t, out + t);
    for (; t + 2 <= n_tokens; t += 2) int_tile<L, Format, 1, 2>(&w, n, x + t, out + t);
    if (t < n_tokens) int_tile<L, Format, 1, 1>(&w, n, x + t, out + t);
}

template <class L, class Format>
void dot_int_rows(const void* const* w, int n_rows, std::int64_t n, const QuantisedRow& x,
                  float* out) noexcept {
    static_assert(kStreams == 4);
    if (n_rows == kStreams) return int_tile<L, Format, kStreams, 1>(w, n, &x, out);
    for (int r = 0; r < n_rows; ++r) int_tile<L, Format, 1, 1>(w + r, n, &x, out + r);
}

template <class L, class Format>
void unpack_chunk(const std::uint8_t* from, float* to) {
    Chunk<L> chunk;
    Format::decode(from, chunk);
    std::uint8_t codes[kChunk];
    float scale[16];
    float minimum[16];
    unroll<4>([&](auto j) __attribute__((always_inline)) {
        L::store_codes(codes + 64 * j.value, chunk.codes[j.value]);
    });
    unroll<16 / L::kWidth>([&](auto i) __attribute__((always_inline)) {
        L::store(scale + i.value * L::kWidth, chunk.scale.v[i.value]);
        if constexpr (Format::kHasMinimum)
            L::store(minimum + i.value * L::kWidth, chunk.minimum.v[i.value]);
    });
    const typename L::F zero = L::set(static_cast<float>(Format::kZero));
    for (int i = 0; i < kChunk; i += L::kWidth) {
        typename L::F y = (L::from_u8(codes + i) - zero) * L::set(scale[i / 16]);
        if constexpr (Format::kHasMinimum) y -= L::set(minimum[i / 16]);
        L::store(to + i, y);
    }
}

template <class L, class Format>
void unpack(const void* from, std::int64_t n, float* to) noexcept {
    const auto* bytes = static_cast<const std::uint8_t*>(from);
    std::int64_t k = 0;
    for (; k + kChunk <= n; k += kChunk, bytes += kChunkBytes<Format>)
        unpack_chunk<L, Format>(bytes, to + k);
    if (Format::kWeights == kChunk || k == n) return;
    const PaddedWeights<Format> padded(bytes, n - k);
    float rest[kChunk];
    unpack_chunk<L, Format>(padded.bytes, rest);
    __builtin_memcpy(to + k, rest, static_cast<std::size_t>(n - k) * sizeof(float));
}

}  // namespace
}  // namespace heft::kernel
