#include "tensor/quant/plain.h"

#include "base/bytes.h"
#include "tensor/half.h"

namespace heft::quant::plain {

namespace {

template <class Stored, class Convert>
void read(const void* from, std::int64_t n, float* to, Convert convert) {
    const auto* bytes = static_cast<const std::byte*>(from);
    for (std::int64_t i = 0; i < n; ++i)
        to[i] = convert(load<Stored>(bytes + i * static_cast<std::int64_t>(sizeof(Stored))));
}

template <class Stored>
void read_cast(const void* from, std::int64_t n, float* to) {
    read<Stored>(from, n, to, [](Stored value) { return static_cast<float>(value); });
}

template <class Convert>
void write_halves(const float* from, std::int64_t n, void* to, Convert convert) {
    auto* bytes = static_cast<std::byte*>(to);
    for (std::int64_t i = 0; i < n; ++i) {
        const std::uint16_t bits = convert(from[i]);
        std::memcpy(bytes + 2 * i, &bits, sizeof bits);
    }
}

}  // namespace

void dequantise_f64(const void* from, std::int64_t n, float* to) {
    read_cast<double>(from, n, to);
}
void dequantise_f32(const void* from, std::int64_t n, float* to) {
    if (n > 0) std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof *to);
}
void dequantise_f16(const void* from, std::int64_t n, float* to) {
    read<std::uint16_t>(from, n, to, from_f16);
}
void dequantise_bf16(const void* from, std::int64_t n, float* to) {
    read<std::uint16_t>(from, n, to, from_bf16);
}
void dequantise_f8_e4m3(const void* from, std::int64_t n, float* to) {
    read<std::uint8_t>(from, n, to, from_f8_e4m3);
}
void dequantise_f8_e5m2(const void* from, std::int64_t n, float* to) {
    read<std::uint8_t>(from, n, to, from_f8_e5m2);
}
void dequantise_i64(const void* from, std::int64_t n, float* to) {
    read_cast<std::int64_t>(from, n, to);
}
void dequantise_i32(const void* from, std::int64_t n, float* to) {
    read_cast<std::int32_t>(from, n, to);
}
void dequantise_i16(const void* from, std::int64_t n, float* to) {
    read_cast<std::int16_t>(from, n, to);
}
void dequantise_i8(const void* from, std::int64_t n, float* to) {
    read_cast<std::int8_t>(from, n, to);
}
void dequantise_u64(const void* from, std::int64_t n, float* to) {
    read_cast<std::uint64_t>(from, n, to);
}
void dequantise_u32(const void* from, std::int64_t n, float* to) {
    read_cast<std::uint32_t>(from, n, to);
}
void dequantise_u16(const void* from, std::int64_t n, float* to) {
    read_cast<std::uint16_t>(from, n, to);
}
void dequantise_u8(const void* from, std::int64_t n, float* to) {
    read_cast<std::uint8_t>(from, n, to);
}
void dequantise_boolean(const void* from, std::int64_t n, float* to) {
    read<std::uint8_t>(from, n, to, [](std::uint8_t value) { return value != 0 ? 1.0F : 0.0F; });
}

void quantise_f32(const float* from, std::int64_t n, void* to) {
    if (n > 0) std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof *from);
}
void quantise_f16(const float* from, std::int64_t n, void* to) {
    write_halves(from, n, to, to_f16);
}
void quantise_bf16(const float* from, std::int64_t n, void* to) {
    write_halves(from, n, to, to_bf16);
}

}  // namespace heft::quant::plain
