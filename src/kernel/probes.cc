#include "kernel/probes.h"

#include <vector>

#include "kernel/cpu/probe_loops.h"
#include "kernel/table.h"

#if defined(HEFT_KERNEL_X86)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace heft::kernel {

namespace {

bool always() {
    return true;
}

#if defined(HEFT_KERNEL_X86)
bool runs_avx2() {
    return avx2() != nullptr;
}

bool runs_avx512() {
    return avx512() != nullptr;
}

bool runs_avx512_bf16() {
    return runs_avx512() && __builtin_cpu_supports("avx512bf16") != 0;
}

// Bits of cpuid leaf 7, register edx.
constexpr unsigned kAmxBf16 = 1U << 22;
constexpr unsigned kAmxTile = 1U << 24;
constexpr unsigned kAmxInt8 = 1U << 25;

// The kernel hands out the state of the tiles to processes that ask (Linux, asm/prctl.h).
bool may_use_tiles() {
    constexpr long request_permission = 0x1023;
    constexpr long tile_data = 18;
    return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

bool runs_amx() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned wanted = kAmxBf16 | kAmxTile | kAmxInt8;
    return runs_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & wanted) == wanted
           && may_use_tiles();
}
#endif

// Operations of a round: one instruction of that many in each chain; a product of 16 x depth tiles.
constexpr double chains(double ops) {
    return ops * kChains;
}
constexpr double tiles(double depth) {
    constexpr double rows = 16;
    return 2 * rows * rows * depth * probe_amx::kTiles;
}

constexpr Probe kProbes[] = {
    {"f32-128", chains(2 * 4), probe_scalar::f32, always},
#if defined(HEFT_KERNEL_X86)
    {"f32-256", chains(2 * 8), probe_avx2::f32, runs_avx2},
    {"int8-256", chains(2 * 32), probe_avx2::int8, runs_avx2},
    {"f32-512", chains(2 * 16), probe_avx512::f32, runs_avx512},
    {"vnni-256", chains(2 * 32), probe_avx512::vnni_256, runs_avx512},
    {"vnni-512", chains(2 * 64), probe_avx512::vnni_512, runs_avx512},
    {"bf16-512", chains(2 * 32), probe_avx512_bf16::bf16, runs_avx512_bf16},
    {"amx-bf16", tiles(32), probe_amx::bf16, runs_amx},
    {"amx-int8", tiles(64), probe_amx::int8, runs_amx},
#endif
};

std::vector<Probe> find_usable() {
    std::vector<Probe> out;
    for (const Probe& probe : kProbes)
        if (probe.usable()) out.push_back(probe);
    return out;
}

}  // namespace

std::span<const Probe> probes() {
    static const std::vector<Probe> kUsable = find_usable();
    return kUsable;
}

}  // namespace heft::kernel
