// Lanes for AVX-512 with BF16: those of AVX-512, and two vectors rounded to bfloat16 at once.
#pragma once

#include "kernel/cpu/lanes_avx512.inl.h"

namespace heft::kernel {
namespace {

struct Avx512Bf16Lanes : Avx512Lanes {
    // 32 numbers rounded to nearest, ties to even; subnormal numbers become zero.
    static HEFT_INLINE void to_bf16_pair(F low, F high, std::uint16_t* to) {
        _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low));
    }
};

}  // namespace
}  // namespace heft::kernel
