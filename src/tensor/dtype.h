// Every number type a tensor can be stored in, with the size of its block. The table is the only
// place that knows names and GGUF ids. Block layouts: shared GGUF conventions, docs/formats/.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace heft {

enum class DType : std::uint8_t {
    f64,
    f32,
    f16,
    bf16,
    f8_e4m3,
    f8_e5m2,
    i64,
    i32,
    i16,
    i8,
    u64,
    u32,
    u16,
    u8,
    boolean,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q8_1,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
    q8_k,
    iq2_xxs,
    iq2_xs,
    iq2_s,
    iq3_xxs,
    iq3_s,
    iq1_s,
    iq1_m,
    iq4_nl,
    iq4_xs,
    tq1_0,
    tq2_0,
    mxfp4,
    nvfp4,
    q1_0,
    q2_0,
    // In memory only: what heft makes of packed checkpoints (tensor/quant/grouped.h).
    gi4,
    gi8,
    gf8,
    gnf4,
    gfp4,
};

// Grouped types: no file has them.
constexpr bool is_in_memory_only(DType type) {
    return type >= DType::gi4;
}

struct DTypeInfo {
    DType type;
    const char* name;              // as GGUF tools print it: "Q4_K"
    int gguf_id;                   // -1: not a GGUF type
    const char* safetensors_name;  // nullptr: not a safetensors type
    int block;                     // weights per block
    int block_bytes;               // bytes per block
};

const DTypeInfo& dtype_info(DType type);
std::span<const DTypeInfo> dtypes();
std::optional<DType> dtype_from_gguf(std::uint32_t id);
std::optional<DType> dtype_from_safetensors(std::string_view name);

// Why a GGUF id that is not in the table cannot be read ("removed in 2024", "a private type of
// ik_llama.cpp", "unknown"), for the error sentence.
std::string_view refused_gguf_type(std::uint32_t id);

}  // namespace heft
