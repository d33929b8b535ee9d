// Loops over one vector of activations, with our own exponential: a kernel may not call libm.
#pragma once

#include "kernel/generic/float_dot.inl.h"

namespace heft::kernel {
namespace {

// e^x within 2 units in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, and a polynomial of degree
// 7 for e^r (coefficients: Cephes, Moshier 1989). 2^n is applied in two halves so that results
// reach both ends of float.
template <class L>
HEFT_INLINE typename L::F exponential(typename L::F x) {
    using F = typename L::F;
    using I = typename L::I;
    const F low = L::set(-104.0F);
    const F high = L::set(89.0F);
    x = select<L>((I)(x < low), low, x);  // NaN is neither and stays
    x = select<L>((I)(x > high), high, x);
    const F shifter = L::set(12582912.0F);  // adding it rounds to an integer in the low bits
    const F shifted = L::fma(x, L::set(1.44269504F), shifter);
    const I n = (I)shifted - (I)shifter;
    const F whole = shifted - shifter;
    F r = L::fma(whole, L::set(-0.693359375F), x);
    r = L::fma(whole, L::set(2.12194440e-4F), r);
    F y = L::set(1.9875691500e-4F);
    y = L::fma(y, r, L::set(1.3981999507e-3F));
    y = L::fma(y, r, L::set(8.3334519073e-3F));
    y = L::fma(y, r, L::set(4.1665795894e-2F));
    y = L::fma(y, r, L::set(1.6666665459e-1F));
    y = L::fma(y, r, L::set(5.0000001201e-1F));
    y = L::fma(y * r, r, r) + L::set(1.0F);
    const I half = n >> 1;
    return y * (F)((half + 127) << 23) * (F)((n - half + 127) << 23);
}

template <class L>
HEFT_INLINE typename L::F sigmoid(typename L::F x) {
    const typename L::F one = L::set(1.0F);
    return one / (one + exponential<L>(-x));
}

struct Silu {
    template <class L>
    static HEFT_INLINE typename L::F apply(typename L::F x) {
        return x / (L::set(1.0F) + exponential<L>(-x));
    }
};

// x / 2 * (1 + tanh(u)) = x * sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)
struct GeluTanh {
    template <class L>
    static HEFT_INLINE typename L::F apply(typename L::F x) {
        const typename L::F cube = L::fma(x * x, L::set(0.0713548162726F), L::set(1.59576912161F));
        return x * sigmoid<L>(x * cube);
    }
};

// x * Phi(x), Phi from its upper tail, so that nothing cancels; the tail is a polynomial times
// e^(-z^2), z = |x| / sqrt 2 (Abramowitz & Stegun 7.1.26).
struct GeluErf {
    template <class L>
    static HEFT_INLINE typename L::F apply(typename L::F x) {
        using F = typename L::F;
        using I = typename L::I;
        const F one = L::set(1.0F);
        const F z = (F)((I)x & 0x7fffffff) * L::set(0.70710678F);
        const F t = one / L::fma(z, L::set(0.3275911F), one);
        F y = L::set(1.061405429F);
        y = L::fma(y, t, L::set(-1.453152027F));
        y = L::fma(y, t, L::set(1.421413741F));
        y = L::fma(y, t, L::set(-0.284496736F));
        y = L::fma(y, t, L::set(0.254829592F));
        const F tail = L::set(0.5F) * y * t * exponential<L>(-z * z);
        return x * select<L>((I)(x < L::set(0.0F)), tail, one - tail);
    }
};

template <class L, class Function>
void apply_and_multiply(const float* gate, const float* up, std::int64_t n, float* out) noexcept {
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            typename L::F value = Function::template apply<L>(load_some<L>(gate + i, count));
            if (up != nullptr) value *= load_some<L>(up + i, count);
            store_some<L>(out + i, value, count);
        });
}

template <class L>
HEFT_INLINE typename L::F at_most(typename L::F x, typename L::F limit) {
    return select<L>((typename L::I)(x > limit), limit, x);  // NaN stays
}

template <class L>
void swiglu_clamped(const float* gate, const float* up, std::int64_t n, float limit,
                    float* out) noexcept {
    using F = typename L::F;
    const F most = L::set(limit);
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            const F g = at_most<L>(load_some<L>(gate + i, count), most);
            const F u = -at_most<L>(-at_most<L>(load_some<L>(up + i, count), most), most);
            store_some<L>(out + i, (u + L::set(1.0F)) * g * sigmoid<L>(g * L::set(1.702F)), count);
        });
}

// cap * tanh(x / cap), tanh(u) = 2 sigmoid(2 u) - 1
template <class L>
struct SoftCap {
    typename L::F inverse;
    typename L::F twice;
    explicit HEFT_INLINE SoftCap(float cap)
        : inverse(L::set(2.0F / cap)), twice(L::set(2.0F * cap)) {}
    HEFT_INLINE typename L::F operator()(typename L::F x) const {
        return (sigmoid<L>(x * inverse) - L::set(0.5F)) * twice;
    }
};

template <class L>
void soft_cap(float* x, std::int64_t n, float cap) noexcept {
    const SoftCap<L> capped(cap);
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            store_some<L>(x + i, capped(load_some<L>(x + i, count)), count);
        });
}

template <class L>
SoftmaxSum softmax_sum(const float* x, std::int64_t n) noexcept {
    using F = typename L::F;
    constexpr float kNothing = -__builtin_inff();
    constexpr std::int64_t kBlock = 64 * L::kWidth;  // added up in float
    float rest[L::kWidth];
    const std::int64_t whole = n / L::kWidth * L::kWidth;
    for (std::int64_t i = 0; i < L::kWidth; ++i) rest[i] = whole + i < n ? x[whole + i] : kNothing;
    F most = L::load(rest);
    for (std::int64_t i = 0; i < whole; i += L::kWidth) most = L::greater(L::load(x + i), most);
    const float top = L::max(most);
    const auto exponentials = [top](const float* from) __attribute__((always_inline)) {
        return exponential<L>(L::load(from) - L::set(top));
    };
    double sum = static_cast<double>(L::sum(exponentials(rest)));
    for (std::int64_t i = 0; i < whole; i += kBlock) {
        const std::int64_t end = whole < i + kBlock ? whole : i + kBlock;
        F block = L::set(0.0F);
        for (std::int64_t k = i; k < end; k += L::kWidth) block += exponentials(x + k);
        sum += static_cast<double>(L::sum(block));
    }
    return {top, sum};
}

template <class L>
void rms_norm(const float* x, const float* weight, std::int64_t n, float eps, float* out) noexcept {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(x);
    float squares = 0;
    float_tile<L, Float32<L>, 1, 1>(&bytes, n, x, 0, 0, &squares);
    const typename L::F scale =
        L::set(1.0F) / L::sqrt(L::set(squares / static_cast<float>(n) + eps));
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            typename L::F value = load_some<L>(x + i, count) * scale;
            if (weight != nullptr) value *= load_some<L>(weight + i, count);
            store_some<L>(out + i, value, count);
        });
}

template <class L>
void layer_norm(const float* x, const float* weight, const float* bias, std::int64_t n, float eps,
                float* out) noexcept {
    using F = typename L::F;
    F sum = L::set(0.0F);
    each_vector<L>(
        n, [&](std::int64_t i, auto count)
               __attribute__((always_inline)) { sum += load_some<L>(x + i, count); });
    const F mean = L::set(L::sum(sum) / static_cast<float>(n));
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            store_some<L>(out + i, load_some<L>(x + i, count) - mean, count);
        });
    rms_norm<L>(out, weight, n, eps, out);
    if (bias == nullptr) return;
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            store_some<L>(out + i, load_some<L>(out + i, count) + load_some<L>(bias + i, count),
                          count);
        });
}

template <class L>
void add(const float* x, std::int64_t n, float* acc) noexcept {
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            store_some<L>(acc + i, load_some<L>(acc + i, count) + load_some<L>(x + i, count),
                          count);
        });
}

// Rounds to nearest even; NaN stays NaN.
template <class L>
HEFT_INLINE typename L::I bf16_bits(typename L::F value) {
    using I = typename L::I;
    const I bits = (I)value;
    const I nan = (bits & 0x7fffffff) > 0x7f800000;
    const I odd = (bits >> 16) & 1;
    // Unsigned: rounding the greatest negative values must not overflow.
    using U = typename L::U;
    const I rounded = (I)(((U)bits + (U)odd + 0x7fffU) >> 16);
    const I quiet = (I)((U)bits >> 16) | 0x40;
    return (nan & quiet) | (~nan & rounded);
}

HEFT_INLINE std::size_t lanes(Whole, int width) {
    return static_cast<std::size_t>(width);
}
HEFT_INLINE std::size_t lanes(Part part, int) {
    return static_cast<std::size_t>(part.count);
}

template <class L>
void to_bf16(const float* x, std::int64_t n, std::uint16_t* out) noexcept {
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            std::uint16_t part[L::kWidth];
            L::narrow(bf16_bits<L>(load_some<L>(x + i, count)), part);
            __builtin_memcpy(out + i, part, lanes(count, L::kWidth) * sizeof *part);
        });
}

// Saturates: what half precision cannot hold becomes its greatest number. NaN stays NaN.
template <class L>
void to_f16(const float* x, std::int64_t n, std::uint16_t* out) noexcept {
    const typename L::F most = L::set(65504.0F);
    each_vector<L>(
        n, [&](std::int64_t i, auto count) __attribute__((always_inline)) {
            const typename L::F value = at_most<L>(load_some<L>(x + i, count), most);
            std::uint16_t part[L::kWidth];
            L::to_f16(-at_most<L>(-value, most), part);
            __builtin_memcpy(out + i, part, lanes(count, L::kWidth) * sizeof *part);
        });
}

// The greatest magnitude among 32 floats. Compared as integers, so that NaN is greatest of all.
template <class L>
HEFT_INLINE float peak32(const float* x) {
    using I = typename L::I;
    I most = (I)L::load(x) & 0x7fffffff;
    for (int i = L::kWidth; i < 32; i += L::kWidth) {
        const I next = (I)L::load(x + i) & 0x7fffffff;
        const I more = next > most;
        most = (more & next) | (~more & most);
    }
    const std::int32_t peak = L::max(most);
    return read<float>(&peak);
}

template <class L>
HEFT_INLINE void quantise32(const float* x, float inverse, std::int8_t* q, std::int16_t* sum16) {
    using F = typename L::F;
    using I = typename L::I;
    const F shifter = L::set(12582912.0F);
    unroll<2>([&](auto half) __attribute__((always_inline)) {
        I sum = {};
        for (int i = 16 * half.value; i < 16 * half.value + 16; i += L::kWidth) {
            const I value = (I)(L::load(x + i) * L::set(inverse) + shifter) - (I)shifter;
            sum += value;
            L::narrow(value, q + i);
        }
        sum16[half.value] = static_cast<std::int16_t>(L::sum(sum));
    });
}

template <class L>
void quantise_row(const float* x, std::int64_t n, const QuantisedRoom& to) noexcept {
    constexpr float kLeast = 1e-30F;  // below it 127 / peak might overflow; such a block is zero
    for (std::int64_t i = 0; i < n; i += 32) {
        const float peak = peak32<L>(x + i);
        const bool finite = peak < __builtin_inff();
        const float inverse = finite && peak > kLeast ? 127.0F / peak : 0.0F;
        const float scale = finite ? peak / 127.0F : __builtin_nanf("");
        to.scale[i / 32] = scale;
        std::int16_t* const sum = to.sum16 + i / 16;
        if (finite) {
            quantise32<L>(x + i, inverse, to.q + i, sum);
        } else {  // the scale makes every product NaN, as the activations would have
            __builtin_memset(to.q + i, 0, 32);
            sum[0] = sum[1] = 0;
        }
        to.scaled16[i / 16] = scale * static_cast<float>(sum[0]);
        to.scaled16[i / 16 + 1] = scale * static_cast<float>(sum[1]);
        to.scaled32[i / 32] = scale * static_cast<float>(sum[0] + sum[1]);
    }
}

}  // namespace
}  // namespace heft::kernel
