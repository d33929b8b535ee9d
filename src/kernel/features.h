// What this processor has and the operating system lets us use. Nothing, on other processors than
// x86-64.
#pragma once

namespace heft::kernel {

bool has_avx2();         // with FMA and F16C
bool has_avx512();       // F, BW, DQ, VL and VNNI
bool has_avx512_bf16();  // and that
// Zen 4 and later multiply bfloat16 at twice the rate of float32; Intel's cores with VDPBF16PS at
// half of it (docs/performance.md).
bool has_fast_avx512_bf16();
bool has_amx();  // AVX-512 BF16, and AMX with TILE, BF16 and INT8

}  // namespace heft::kernel
