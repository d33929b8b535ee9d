#if defined(__AMX_BF16__) || defined(__AMXBF16__)

#include "kernel/cpu/lanes_avx512_bf16.inl.h"
#include "kernel/cpu/tile_config.inl.h"
#include "kernel/generic/k_formats.inl.h"
#include "kernel/generic/tile_block.inl.h"
#include "kernel/generic/tiles.inl.h"

namespace heft::kernel {
namespace {

struct AmxRegisters {
    static constexpr std::int64_t kRowBytes = 64;

    static void begin() { configure_tiles(); }
    static void end() { _tile_release(); }
    // Written out because g++'s intrinsics take literal numbers of tiles only.
    template <int tile>
    static HEFT_INLINE void zero() {
        __asm__ volatile("tilezero %%tmm%c0" ::"i"(tile));
    }
    template <int tile>
    static HEFT_INLINE void load(const void* at) {
        __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(at), "r"(kRowBytes), "i"(tile)
                         : "memory");
    }
    // For what passes by once: leaves the nearest cache to others.
    template <int tile>
    static HEFT_INLINE void stream(const void* at) {
        __asm__ volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" ::"r"(at), "r"(kRowBytes), "i"(tile)
                         : "memory");
    }
    template <int tile>
    static HEFT_INLINE void store(void* at) {
        __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(at), "r"(kRowBytes), "i"(tile)
                         : "memory");
    }
    template <int sum, int a, int b>
    static HEFT_INLINE void multiply() {
        __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
    }
};

}  // namespace
}  // namespace heft::kernel

namespace heft::kernel::amx_isa {

const TileKernels& tiles() {
    static constexpr TileKernels kTiles =
        make_tiles<Avx512Bf16Lanes, TileBlock<AmxRegisters>>(true);
    return kTiles;
}

}  // namespace heft::kernel::amx_isa

#endif
