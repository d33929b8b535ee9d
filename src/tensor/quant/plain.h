// Numbers stored one by one: IEEE floats, bfloat16, the two OCP 8-bit floats, integers.
#pragma once

#include <cstdint>

namespace heft::quant::plain {

void dequantise_f64(const void* from, std::int64_t n, float* to);
void dequantise_f32(const void* from, std::int64_t n, float* to);
void dequantise_f16(const void* from, std::int64_t n, float* to);
void dequantise_bf16(const void* from, std::int64_t n, float* to);
void dequantise_f8_e4m3(const void* from, std::int64_t n, float* to);
void dequantise_f8_e5m2(const void* from, std::int64_t n, float* to);
void dequantise_i64(const void* from, std::int64_t n, float* to);
void dequantise_i32(const void* from, std::int64_t n, float* to);
void dequantise_i16(const void* from, std::int64_t n, float* to);
void dequantise_i8(const void* from, std::int64_t n, float* to);
void dequantise_u64(const void* from, std::int64_t n, float* to);
void dequantise_u32(const void* from, std::int64_t n, float* to);
void dequantise_u16(const void* from, std::int64_t n, float* to);
void dequantise_u8(const void* from, std::int64_t n, float* to);
void dequantise_boolean(const void* from, std::int64_t n, float* to);  // any byte but 0 is 1

void quantise_f32(const float* from, std::int64_t n, void* to);
void quantise_f16(const float* from, std::int64_t n, void* to);
void quantise_bf16(const float* from, std::int64_t n, void* to);

}  // namespace heft::quant::plain
