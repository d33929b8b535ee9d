// Weights into blocks, as tensor/quant/ defines it, bit for bit.
#pragma once

#include "kernel/generic/elementwise.inl.h"
#include "tensor/quant/q8_0.h"

namespace heft::kernel {
namespace {

// 32 levels of magnitudes up to 127, to the nearest integer, halves away from zero.
template <class L>
HEFT_INLINE void nearest32(const float* x, float inverse, std::int8_t* q) {
    using F = typename L::F;
    using I = typename L::I;
    constexpr float kAlmostHalf = 0.49999997F;  // the greatest float below: 0.5 - 1 ulp stays 0
    for (int i = 0; i < quant::q8_0::kWeights; i += L::kWidth) {
        const I bits = (I)(L::load(x + i) * L::set(inverse));
        const F magnitude = (F)(bits & 0x7fffffff);
        const I level = __builtin_convertvector(magnitude + L::set(kAlmostHalf), I);
        const I sign = bits >> 31;
        L::narrow((level ^ sign) - sign, q + i);
    }
}

template <class L>
void make_q8_0(const float* x, std::int64_t n, void* to) {
    constexpr float kInfinity = __builtin_inff();
    auto* out = static_cast<std::uint8_t*>(to);
    for (std::int64_t i = 0; i < n; i += quant::q8_0::kWeights, out += sizeof(quant::q8_0::Block)) {
        const float scale = peak32<L>(x + i) / 127.0F;
        const float inverse = scale == 0.0F ? 0.0F : 1.0F / scale;
        if (!(scale < kInfinity && inverse < kInfinity)) {  // NaN, infinities, hardly any number
            quant::q8_0::quantise(x + i, quant::q8_0::kWeights, out);
            continue;
        }
        std::uint16_t half[L::kWidth];
        L::to_f16(L::set(scale), half);
        __builtin_memcpy(out, half, sizeof *half);
        std::int8_t levels[quant::q8_0::kWeights];
        nearest32<L>(x + i, inverse, levels);
        __builtin_memcpy(out + sizeof *half, levels, sizeof levels);
    }
}

}  // namespace
}  // namespace heft::kernel
