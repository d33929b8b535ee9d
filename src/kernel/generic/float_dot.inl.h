// Float32, float16 and bfloat16 weights: dot products and unpacking.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "kernel/isa.h"

namespace heft::kernel {
namespace {

template <class L>
struct Float32 {
    static constexpr int kBytes = 4;
    static HEFT_INLINE typename L::F load(const std::uint8_t* at) {
        return read<typename L::F>(at);
    }
};

template <class L>
struct Float16 {
    static constexpr int kBytes = 2;
    static HEFT_INLINE typename L::F load(const std::uint8_t* at) { return L::from_f16(at); }
};

template <class L>
struct BFloat16 {
    static constexpr int kBytes = 2;
    static HEFT_INLINE typename L::F load(const std::uint8_t* at) { return L::from_bf16(at); }
};

// Fewer values than a vector holds, followed by zeros.
template <class L, class Stored>
HEFT_INLINE typename L::F load_part(const std::uint8_t* at, std::int64_t count) {
    std::uint8_t bytes[L::kWidth * Stored::kBytes] = {};
    __builtin_memcpy(bytes, at, static_cast<std::size_t>(count) * Stored::kBytes);
    return Stored::load(bytes);
}

// How much of a vector an array still holds.
struct Whole {};
struct Part {
    std::int64_t count;
};

template <class L>
HEFT_INLINE typename L::F load_some(const float* at, Whole) {
    return L::load(at);
}

template <class L>
HEFT_INLINE typename L::F load_some(const float* at, Part part) {
    return load_part<L, Float32<L>>(reinterpret_cast<const std::uint8_t*>(at), part.count);
}

template <class L>
HEFT_INLINE void store_some(float* at, typename L::F value, Whole) {
    L::store(at, value);
}

template <class L>
HEFT_INLINE void store_some(float* at, typename L::F value, Part part) {
    float lanes[L::kWidth];
    L::store(lanes, value);
    __builtin_memcpy(at, lanes, static_cast<std::size_t>(part.count) * sizeof(float));
}

// fn(i, Whole or Part) for every vector of n values.
template <class L, class Fn>
HEFT_INLINE void each_vector(std::int64_t n, Fn&& fn) {
    std::int64_t i = 0;
    for (; i + L::kWidth <= n; i += L::kWidth) fn(i, Whole{});
    if (i < n) fn(i, Part{n - i});
}

template <class L>
struct FloatSum {
    typename L::F v[L::kAccs];
};

// out[r * tokens + t], one of the two counts being 1. Every sum is made in the same order.
template <class L, class Stored, int rows, int tokens>
void float_tile(const std::uint8_t* const* w, std::int64_t n, const float* x, std::int64_t x_stride,
                int prefetch, float* out) {
    using F = typename L::F;
    constexpr int kStep = L::kWidth * L::kAccs;
    FloatSum<L> sums[rows * tokens] = {};
    std::int64_t k = 0;
    for (; k + kStep <= n; k += kStep) {
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            prefetch_bytes<kStep * Stored::kBytes>(w[r.value] + k * Stored::kBytes + prefetch);
        });
        unroll<L::kAccs>([&](auto a) __attribute__((always_inline)) {
            const std::int64_t at = k + a.value * L::kWidth;
            unroll<rows>([&](auto r) __attribute__((always_inline)) {
                const F weight = Stored::load(w[r.value] + at * Stored::kBytes);
                unroll<tokens>([&](auto t) __attribute__((always_inline)) {
                    F& sum = sums[r.value * tokens + t.value].v[a.value];
                    sum = L::fma(weight, L::load(x + t.value * x_stride + at), sum);
                });
            });
        });
    }
    for (; k < n; k += L::kWidth) {
        const std::int64_t left = n - k < L::kWidth ? n - k : L::kWidth;
        for (int r = 0; r < rows; ++r) {
            const F weight = load_part<L, Stored>(w[r] + k * Stored::kBytes, left);
            for (int t = 0; t < tokens; ++t) {
                F& sum = sums[r * tokens + t].v[0];
                sum = L::fma(weight, load_some<L>(x + t * x_stride + k, Part{left}), sum);
            }
        }
    }
    for (int i = 0; i < rows * tokens; ++i) out[i] = total<L>(sums[i].v);
}

template <class L, class Stored>
void dot(const void* w, std::int64_t n, const float* x, std::int64_t x_stride, int n_tokens,
         float* out) noexcept {
    const auto* row = static_cast<const std::uint8_t*>(w);
    int t = 0;
    for (; t + 4 <= n_tokens; t += 4)
        float_tile<L, Stored, 1, 4>(&row, n, x + t * x_stride, x_stride, 0, out + t);
    for (; t < n_tokens; ++t)
        float_tile<L, Stored, 1, 1>(&row, n, x + t * x_stride, x_stride, 0, out + t);
}

template <class L, class Stored>
void dot_rows(const void* const* w, int n_rows, std::int64_t n, const float* x, int prefetch,
              float* out) noexcept {
    const std::uint8_t* rows[kStreams];
    for (int r = 0; r < n_rows; ++r) rows[r] = static_cast<const std::uint8_t*>(w[r]);
    if (n_rows == kStreams) return float_tile<L, Stored, kStreams, 1>(rows, n, x, 0, prefetch, out);
    for (int r = 0; r < n_rows; ++r)
        float_tile<L, Stored, 1, 1>(rows + r, n, x, 0, prefetch, out + r);
}

template <class L, class Stored>
void unpack_floats(const void* from, std::int64_t n, float* to) noexcept {
    const auto* bytes = static_cast<const std::uint8_t*>(from);
    std::int64_t k = 0;
    for (; k + L::kWidth <= n; k += L::kWidth)
        L::store(to + k, Stored::load(bytes + k * Stored::kBytes));
    if (k == n) return;
    const auto rest = load_part<L, Stored>(bytes + k * Stored::kBytes, n - k);
    store_some<L>(to + k, rest, Part{n - k});
}

}  // namespace
}  // namespace heft::kernel
