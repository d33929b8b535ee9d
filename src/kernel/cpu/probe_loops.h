// The loops of probes.h, each in the translation unit of its instruction set. Plain, like isa.h.
#pragma once

#include <cstdint>

namespace heft::kernel {

// Independent sums of a loop: enough for a latency of five cycles at two a cycle, and few enough
// for sixteen registers.
inline constexpr int kChains = 12;

namespace probe_scalar {
void f32(std::int64_t rounds) noexcept;
}
namespace probe_avx2 {
void f32(std::int64_t rounds) noexcept;
void int8(std::int64_t rounds) noexcept;
}  // namespace probe_avx2
namespace probe_avx512 {
void f32(std::int64_t rounds) noexcept;
void vnni_512(std::int64_t rounds) noexcept;
void vnni_256(std::int64_t rounds) noexcept;
}  // namespace probe_avx512
namespace probe_avx512_bf16 {
void bf16(std::int64_t rounds) noexcept;
}
namespace probe_amx {
inline constexpr int kTiles = 4;  // results in flight
void bf16(std::int64_t rounds) noexcept;
void int8(std::int64_t rounds) noexcept;
}  // namespace probe_amx

}  // namespace heft::kernel
