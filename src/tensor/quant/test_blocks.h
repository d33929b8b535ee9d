// For tests: stored weights of any type, random or hostile. Not part of the library.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "tensor/dtype.h"
#include "tensor/half.h"

namespace heft::test {

// Where a block keeps float16 scales, so that tests can give them sane values.
inline std::vector<int> half_offsets(DType type) {
    switch (type) {
        case DType::q4_0:
        case DType::q5_0:
        case DType::q8_0:
        case DType::iq2_xxs:
        case DType::iq2_xs:
        case DType::iq2_s:
        case DType::iq3_xxs:
        case DType::iq3_s:
        case DType::iq1_s:
        case DType::iq4_nl:
        case DType::iq4_xs:
        case DType::q1_0:
        case DType::q2_0: return {0};
        case DType::q4_1:
        case DType::q5_1:
        case DType::q4_k:
        case DType::q5_k: return {0, 2};
        case DType::tq1_0: return {52};
        case DType::tq2_0: return {64};
        case DType::q2_k: return {80, 82};
        case DType::q3_k: return {108};
        case DType::q6_k: return {208};
        default: return {};
    }
}

inline void put_u16(std::uint8_t* at, std::uint16_t bits) {
    std::memcpy(at, &bits, sizeof bits);
}

// The float16 scales of a block; IQ1_M spreads the bits of its one over four bytes.
inline void put_halves(DType type, std::uint8_t* block, std::uint16_t bits) {
    for (const int offset : half_offsets(type)) put_u16(block + offset, bits);
    if (type != DType::iq1_m) return;
    for (int i = 0; i < 4; ++i) {
        std::uint8_t& byte = block[49 + 2 * i];
        byte = static_cast<std::uint8_t>((byte & 0x0fU) | (bits >> (4 * i) & 0x0fU) << 4);
    }
}

// Every byte the same, but scales of 1: codes at their ends.
inline void fill_codes(DType type, std::uint8_t value, std::vector<std::uint8_t>& blocks) {
    const auto size = static_cast<std::size_t>(dtype_info(type).block_bytes);
    for (std::size_t at = 0; at < blocks.size(); at += size) {
        std::memset(blocks.data() + at, value, size);
        put_halves(type, blocks.data() + at, 0x3c00);
        if (type == DType::mxfp4) blocks[at] = 128;
    }
}

// About n random weights of ordinary size.
inline std::vector<std::uint8_t> random_weights(DType type, std::int64_t n, Rng& rng) {
    const DTypeInfo& info = dtype_info(type);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(n / info.block * info.block_bytes));
    for (auto& byte : out) byte = static_cast<std::uint8_t>(rng.next());
    const auto real = [&rng] { return static_cast<float>(rng.uniform() * 2 - 1); };
    for (std::size_t at = 0; at < out.size(); at += static_cast<std::size_t>(info.block_bytes)) {
        std::uint8_t* block = out.data() + at;
        for (const int offset : half_offsets(type)) put_u16(block + offset, to_f16(real() / 64));
        if (type == DType::iq1_m) put_halves(type, block, to_f16(real() / 64));
        if (type == DType::nvfp4)  // up to 2
            for (int i = 0; i < 4; ++i) block[i] = static_cast<std::uint8_t>(rng.next() % 64);
        if (type == DType::mxfp4) block[0] = static_cast<std::uint8_t>(120 + rng.next() % 8);
        if (is_in_memory_only(type)) {  // grouped: a float32 scale comes first
            const float scale = real() / 64;
            std::memcpy(block, &scale, sizeof scale);
            if (type == DType::gi4) put_u16(block + 4, static_cast<std::uint16_t>(rng.next() % 16));
            if (type == DType::gi8)
                put_u16(block + 4, static_cast<std::uint16_t>(rng.next() % 256));
            if (type == DType::gf8)  // these bits are no number
                for (int i = 4; i < info.block_bytes; ++i)
                    if ((block[i] & 0x7f) == 0x7f) block[i] = 0;
        }
        if (type == DType::f16) put_u16(block, to_f16(real()));
        if (type == DType::bf16) put_u16(block, to_bf16(real()));
        if (type == DType::f32) {
            const float value = real();
            std::memcpy(block, &value, sizeof value);
        }
        if (type == DType::f64) {
            const double value = real();
            std::memcpy(block, &value, sizeof value);
        }
        if (type == DType::f8_e4m3 || type == DType::f8_e5m2) block[0] &= 0xbfU;  // below 2
    }
    return out;
}

// Random bytes, bytes of all ones and of all zeros, and scales at every edge of float16.
inline std::vector<std::uint8_t> hostile_weights(DType type, Rng& rng) {
    const DTypeInfo& info = dtype_info(type);
    const auto size = static_cast<std::size_t>(info.block_bytes);
    constexpr std::uint16_t kEdges[] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x7bff, 0xfbff,
                                        0x7c00, 0xfc00, 0x7e00, 0x7c01, 0x3c00, 0x1234};
    std::vector<std::uint8_t> out;
    const auto add = [&](int fill, std::uint16_t scale) {
        std::vector<std::uint8_t> block(size);
        for (auto& byte : block)
            byte =
                fill < 0 ? static_cast<std::uint8_t>(rng.next()) : static_cast<std::uint8_t>(fill);
        if (scale != 0xffff) put_halves(type, block.data(), scale);
        if ((type == DType::mxfp4 || type == DType::nvfp4) && scale != 0xffff)
            block[0] = static_cast<std::uint8_t>(scale);
        if (is_in_memory_only(type) && scale != 0xffff) {
            const float value = from_f16(scale);
            std::memcpy(block.data(), &value, sizeof value);
        }
        out.insert(out.end(), block.begin(), block.end());
    };
    for (const int fill : {-1, 0, 255, 0x0f, 0x80}) {
        add(fill, 0xffff);
        for (const std::uint16_t edge : kEdges) add(fill, edge);
    }
    for (int i = 0; i < 256; ++i) {
        add(-1, static_cast<std::uint16_t>(i));  // every scale of MXFP4 and NVFP4, small float16
        add(-1, 0xffff);
    }
    return out;
}

}  // namespace heft::test
