// Integer dot products and the unpacking of quantised formats: the walk over chunks of 256 weights.
// Lanes are groups of 16 weights, so that no sum crosses lanes before the end of a row; what a row
// and a token give never depends on what else was computed beside it.
#pragma once

#include "kernel/generic/formats.inl.h"
#include "kernel/types.h"

namespace heft::kernel {
namespace {

inline constexpr int kChunk = 256;

template <class Format>
inline constexpr int kChunkBytes =
    kChunk / Format::kWeights* static_cast<int>(sizeof(typename Format::Block));

// Codes and scales of 256 weights with lanes turned as InputChunk has them.
template <class L, class Format>
HEFT_INLINE void decode_turned(const std::uint8_t* at, Chunk<L>& out) {
    if constexpr (requires { Format::decode_turned(at, out); }) {
        Format::decode_turned(at, out);
    } else {
        Format::decode(at, out);
        L::turn(out.codes);
        out.scale = L::turn(out.scale);
        if constexpr (Format::kHasMinimum) out.minimum = L::turn(out.minimum);
    }
    if constexpr (L::template kSignedDot<Format::kMostCode>)
        unroll<4>([&](auto v) __attribute__((always_inline)) {
            out.codes[v.value] = L::flip(out.codes[v.value], Format::kZero);
        });
}

// The products of a chunk's vector number s with a token's, added to `sum`.
template <class L, class Format, int s>
HEFT_INLINE void add_lanes(const Chunk<L>& w, const InputChunk& x, typename L::F& sum) {
    using I = typename L::I;
    using F = typename L::F;
    constexpr int kLane = s * L::kWidth;
    typename L::template Dots<Format::kMostCode> dots;
    if constexpr (Format::kZero == 0 || L::template kSignedDot<Format::kMostCode>)
        dots.start(I{});
    else
        dots.start(read<I>(x.minus_sum + kLane) * Format::kZero);
    unroll<4>([&](auto v) __attribute__((always_inline)) {
        dots.template add<v.value>(L::lanes(w.codes[v.value], s),
                                   read<I>(x.q[v.value] + 4 * kLane));
    });
    const F dot = __builtin_convertvector(dots.total(), F);
    sum = L::fma(dot, w.scale.v[s] * L::load(x.scale + kLane), sum);
    if constexpr (Format::kHasMinimum)
        sum = L::fma(-w.minimum.v[s], L::load(x.scaled_sum + kLane), sum);
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

struct TurnedGroups {
    std::int32_t of_lane[16];
    constexpr TurnedGroups() : of_lane() {
        for (int lane = 0; lane < 16; ++lane) of_lane[lane] = turned_group(lane);
    }
};

// A turned chunk's groups from number `count` on, whatever they are, become zeros.
template <class L, class Format>
HEFT_INLINE void cut_groups(int count, Chunk<L>& chunk) {
    static constexpr TurnedGroups kGroups;
    unroll<16 / L::kWidth>([&](auto s) __attribute__((always_inline)) {
        using F = typename L::F;
        using I = typename L::I;
        const I there = read<I>(kGroups.of_lane + s.value * L::kWidth) < count;
        chunk.scale.v[s.value] = select<L>(there, chunk.scale.v[s.value], F{});
        if constexpr (Format::kHasMinimum)
            chunk.minimum.v[s.value] = select<L>(there, chunk.minimum.v[s.value], F{});
    });
}

// Decodes the last n weights of a row that is not a whole number of chunks.
template <class L, class Format>
HEFT_INLINE void decode_rest(const std::uint8_t* at, std::int64_t n, std::int64_t behind,
                             Chunk<L>& out) {
    if (behind >= kChunkBytes<Format>) {
        decode_turned<L, Format>(at, out);
        cut_groups<L, Format>(static_cast<int>(n / 16), out);
    } else {
        const PaddedWeights<Format> padded(at, n);
        decode_turned<L, Format>(padded.bytes, out);
    }
}

// Decodes chunk number c of a row.
template <class L, class Format>
HEFT_INLINE void decode_of_row(const std::uint8_t* row, const IntProduct& p, std::int64_t c,
                               Chunk<L>& out) {
    const std::uint8_t* at = row + c * kChunkBytes<Format>;
    if (Format::kWeights == kChunk || (c + 1) * kChunk <= p.n)
        decode_turned<L, Format>(at, out);
    else
        decode_rest<L, Format>(at, p.n - c * kChunk, p.behind, out);
}

// One token. Rows advance together, so that several streams are read at once.
template <class L, class Format, int rows>
void one_token(const void* const* w, const IntProduct& p, float* out) {
    typename L::F sums[rows] = {};
    const std::uint8_t* row[rows];
    unroll<rows>([&](auto r) __attribute__((always_inline)) {
        row[r.value] = static_cast<const std::uint8_t*>(w[r.value]);
    });
    const InputChunk* x = p.x[0];
    for (std::int64_t k = kChunk; k <= p.n; k += kChunk, ++x)
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            prefetch_bytes<kChunkBytes<Format>>(row[r.value] + p.prefetch);
            Chunk<L> chunk;
            decode_turned<L, Format>(row[r.value], chunk);
            row[r.value] += kChunkBytes<Format>;
            unroll<16 / L::kWidth>([&](auto s) __attribute__((always_inline)) {
                add_lanes<L, Format, s.value>(chunk, *x, sums[r.value]);
            });
        });
    if (Format::kWeights != kChunk && p.n % kChunk != 0)
        for (int r = 0; r < rows; ++r) {
            Chunk<L> chunk;
            decode_rest<L, Format>(row[r], p.n % kChunk, p.behind, chunk);
            unroll<16 / L::kWidth>([&](auto s) __attribute__((always_inline)) {
                add_lanes<L, Format, s.value>(chunk, *x, sums[r]);
            });
        }
    for (int r = 0; r < rows; ++r) out[r] = L::sum(sums[r]);
}

inline constexpr int kTokensOfPass = 16;

// Several tokens: every chunk is decoded once and multiplied with all of them.
template <class L, class Format, int rows>
void few_tokens(const void* const* w, const IntProduct& p, int first, int n_tokens, float* out) {
    using F = typename L::F;
    F sums[kTokensOfPass][rows];
    for (int t = 0; t < n_tokens; ++t)
        unroll<rows>([&](auto r) __attribute__((always_inline)) { sums[t][r.value] = F{}; });
    for (std::int64_t c = 0; c * kChunk < p.n; ++c) {
        Chunk<L> chunk[rows];
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            const auto* row = static_cast<const std::uint8_t*>(w[r.value]);
            prefetch_bytes<kChunkBytes<Format>>(row + c * kChunkBytes<Format> + p.prefetch);
            decode_of_row<L, Format>(row, p, c, chunk[r.value]);
        });
        for (int t = 0; t < n_tokens; ++t) {
            const InputChunk& x = p.x[first + t][c];
            unroll<rows>([&](auto r) __attribute__((always_inline)) {
                F sum = sums[t][r.value];
                unroll<16 / L::kWidth>([&](auto s) __attribute__((always_inline)) {
                    add_lanes<L, Format, s.value>(chunk[r.value], x, sum);
                });
                sums[t][r.value] = sum;
            });
        }
    }
    for (int t = 0; t < n_tokens; ++t)
        for (int r = 0; r < rows; ++r) out[(first + t) * p.n_rows + r] = L::sum(sums[t][r]);
}

template <class L, class Format, int rows>
void rows_times_tokens(const void* const* w, const IntProduct& p, float* out) {
    if (p.n_tokens == 1) return one_token<L, Format, rows>(w, p, out);
    for (int t = 0; t < p.n_tokens; t += kTokensOfPass) {
        const int count = p.n_tokens - t < kTokensOfPass ? p.n_tokens - t : kTokensOfPass;
        few_tokens<L, Format, rows>(w, p, t, count, out);
    }
}

template <class L, class Format>
void dot_int(const IntProduct& p) noexcept {
    if (p.n_rows == kStreams) return rows_times_tokens<L, Format, kStreams>(p.w, p, p.out);
    for (int r = 0; r < p.n_rows; ++r) rows_times_tokens<L, Format, 1>(p.w + r, p, p.out + r);
}

template <class L>
void turn_row(const QuantisedRow& x, std::int64_t n, InputChunk* out) noexcept {
    for (std::int64_t k = 0; k < n; k += kChunk, ++out) {
        const PaddedInput part(x, k, n - k < kChunk ? n - k : kChunk);
        const auto* q = reinterpret_cast<const std::uint8_t*>(part.q);
        typename L::Codes codes[4];
        unroll<4>([&](auto j) __attribute__((always_inline)) {
            codes[j.value] = L::load64(q + 64 * j.value);
        });
        L::turn(codes);
        unroll<4>([&](auto v) __attribute__((always_inline)) {
            L::store_codes(reinterpret_cast<std::uint8_t*>(out->q[v.value]), codes[v.value]);
        });
        for (int lane = 0; lane < 16; ++lane) {
            const int group = turned_group(lane);
            const float scale = part.scale[group / 2];
            out->scale[lane] = scale;
            out->scaled_sum[lane] = scale * static_cast<float>(part.sum16[group]);
            out->minus_sum[lane] = -part.sum16[group];
        }
    }
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
