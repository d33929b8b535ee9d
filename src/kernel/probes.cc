#include "kernel/probes.h"

#include <vector>

#include "kernel/cpu/probe_loops.h"
#include "kernel/features.h"

namespace heft::kernel {

namespace {

bool always() {
    return true;
}

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
    {"f32-256", chains(2 * 8), probe_avx2::f32, has_avx2},
    {"int8-256", chains(2 * 32), probe_avx2::int8, has_avx2},
    {"f32-512", chains(2 * 16), probe_avx512::f32, has_avx512},
    {"vnni-256", chains(2 * 32), probe_avx512::vnni_256, has_avx512},
    {"vnni-512", chains(2 * 64), probe_avx512::vnni_512, has_avx512},
    {"bf16-512", chains(2 * 32), probe_avx512_bf16::bf16, has_avx512_bf16},
    {"amx-bf16", tiles(32), probe_amx::bf16, has_amx},
    {"amx-int8", tiles(64), probe_amx::int8, has_amx},
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
