#include "kernel/features.h"

#if defined(HEFT_KERNEL_X86)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace heft::kernel {

#if defined(HEFT_KERNEL_X86)

namespace {

struct Registers {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
};

// Zeros where the processor does not know the leaf.
Registers cpuid(unsigned leaf, unsigned subleaf) {
    Registers r;
    if (__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d) == 0) return {};
    return r;
}

// Of leaf 1, register c.
constexpr unsigned kFma = 1U << 12;
constexpr unsigned kF16c = 1U << 29;
// Of leaf 7: of subleaf 0 register d, of subleaf 1 register a.
constexpr unsigned kAmxBf16 = 1U << 22;
constexpr unsigned kAmxTile = 1U << 24;
constexpr unsigned kAmxInt8 = 1U << 25;
constexpr unsigned kAvx512Bf16 = 1U << 5;

// The operating system gives the tiles' state only to those who ask (Linux, x86 XSTATE).
bool may_use_tiles() {
    constexpr long kRequestPermission = 0x1023;
    constexpr long kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool find_amx() {
    constexpr unsigned kAll = kAmxBf16 | kAmxTile | kAmxInt8;
    return has_avx512_bf16() && (cpuid(7, 0).d & kAll) == kAll && may_use_tiles();
}

}  // namespace

// __builtin_cpu_supports asks the operating system too (XCR0), but does not know every set.
bool has_avx2() {
    constexpr unsigned kBoth = kFma | kF16c;
    return __builtin_cpu_supports("avx2") != 0 && (cpuid(1, 0).c & kBoth) == kBoth;
}

bool has_avx512() {
    return has_avx2() && __builtin_cpu_supports("avx512f") != 0
           && __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0
           && __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
}

bool has_avx512_bf16() {
    return has_avx512() && (cpuid(7, 1).a & kAvx512Bf16) != 0;
}

bool has_fast_avx512_bf16() {
    return has_avx512_bf16() && __builtin_cpu_is("amd") != 0;
}

bool has_amx() {
    static const bool kHas = find_amx();
    return kHas;
}

#else

bool has_avx2() {
    return false;
}
bool has_avx512() {
    return false;
}
bool has_avx512_bf16() {
    return false;
}
bool has_fast_avx512_bf16() {
    return false;
}
bool has_amx() {
    return false;
}

#endif

}  // namespace heft::kernel
