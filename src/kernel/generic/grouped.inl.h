// Types that stand for packed checkpoints: blocks of 32 weights under a float32 scale
// (docs/formats/packed.md), and plain float8. Unpacked by vectors, multiplied as floats.
#pragma once

#include "kernel/generic/lanes.inl.h"
#include "tensor/quant/gf8.h"
#include "tensor/quant/gi4.h"
#include "tensor/quant/gi8.h"

namespace heft::kernel {
namespace {

// A vector's worth of bytes as integers.
template <class L>
HEFT_INLINE typename L::I bytes_as_ints(const std::uint8_t* at) {
    return __builtin_convertvector(L::from_u8(at), typename L::I);
}

// Float8 E4M3 (Micikevicius et al. 2022): a bias of 7, no infinities, all ones is not a number.
template <class L>
HEFT_INLINE typename L::F from_e4m3(typename L::I code) {
    using F = typename L::F;
    using I = typename L::I;
    constexpr std::int32_t kSmallestNormal = 121 << 23;  // 2^-6
    const I magnitude = code & 0x7f;
    // A subnormal number is the smallest normal one and a fraction of it, less the normal one.
    const I subnormal = magnitude < 8;
    const I bits = (magnitude << 20) + (120 << 23) + (subnormal & (1 << 23));
    const F value = (F)bits - (F)(subnormal & kSmallestNormal);
    const I nan = magnitude == 0x7f;
    return (F)((I)value | (code & 0x80) << 24 | (nan & 0x7fc00000));
}

template <class L>
struct Float8 {
    static constexpr int kBytes = 1;
    static HEFT_INLINE typename L::F load(const std::uint8_t* at) {
        return from_e4m3<L>(bytes_as_ints<L>(at));
    }
};

// weights(block, i): a vector of a block's weights from the i-th on.
template <class L>
struct GroupedFloat8 {
    using Block = heft::quant::gf8::Block;
    static HEFT_INLINE typename L::F weights(const Block& block, int i) {
        return L::set(read<float>(block.scale)) * Float8<L>::load(block.qs + i);
    }
};

template <class L>
HEFT_INLINE typename L::F scaled(typename L::I code, const std::uint8_t* scale,
                                 const std::uint8_t* zero) {
    const typename L::I level = code - std::int32_t{read<std::int16_t>(zero)};
    return L::set(read<float>(scale)) * __builtin_convertvector(level, typename L::F);
}

template <class L>
struct GroupedInt8 {
    using Block = heft::quant::gi8::Block;
    static HEFT_INLINE typename L::F weights(const Block& block, int i) {
        return scaled<L>(bytes_as_ints<L>(block.qs + i), block.scale, block.zero);
    }
};

template <class L>
struct GroupedInt4 {
    using Block = heft::quant::gi4::Block;
    static HEFT_INLINE typename L::F weights(const Block& block, int i) {
        const typename L::I both = bytes_as_ints<L>(block.qs + i % 16);
        return scaled<L>(i < 16 ? both & 15 : both >> 4, block.scale, block.zero);
    }
};

template <class L, class Grouped>
void unpack_grouped(const void* from, std::int64_t n, float* to) noexcept {
    constexpr int kWeights = heft::quant::kGroupedWeights;
    const auto* block = static_cast<const typename Grouped::Block*>(from);
    for (std::int64_t k = 0; k < n; k += kWeights, ++block, to += kWeights)
        unroll<kWeights / L::kWidth>([&](auto v) __attribute__((always_inline)) {
            constexpr int kFirst = v.value * L::kWidth;
            L::store(to + kFirst, Grouped::weights(*block, kFirst));
        });
}

}  // namespace
}  // namespace heft::kernel
