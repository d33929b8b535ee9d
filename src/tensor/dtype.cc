#include "tensor/dtype.h"

#include <iterator>

#include "base/check.h"

namespace heft {

namespace {

// In the order of the enum. Ids, blocks and bytes: the GGUF specification of the ggml project;
// names on the right: the safetensors specification.
constexpr DTypeInfo kTypes[] = {
    {DType::f64, "F64", 28, "F64", 1, 8},
    {DType::f32, "F32", 0, "F32", 1, 4},
    {DType::f16, "F16", 1, "F16", 1, 2},
    {DType::bf16, "BF16", 30, "BF16", 1, 2},
    {DType::f8_e4m3, "F8_E4M3", -1, "F8_E4M3", 1, 1},
    {DType::f8_e5m2, "F8_E5M2", -1, "F8_E5M2", 1, 1},
    {DType::i64, "I64", 27, "I64", 1, 8},
    {DType::i32, "I32", 26, "I32", 1, 4},
    {DType::i16, "I16", 25, "I16", 1, 2},
    {DType::i8, "I8", 24, "I8", 1, 1},
    {DType::u64, "U64", -1, "U64", 1, 8},
    {DType::u32, "U32", -1, "U32", 1, 4},
    {DType::u16, "U16", -1, "U16", 1, 2},
    {DType::u8, "U8", -1, "U8", 1, 1},
    {DType::boolean, "BOOL", -1, "BOOL", 1, 1},
    {DType::q4_0, "Q4_0", 2, nullptr, 32, 18},
    {DType::q4_1, "Q4_1", 3, nullptr, 32, 20},
    {DType::q5_0, "Q5_0", 6, nullptr, 32, 22},
    {DType::q5_1, "Q5_1", 7, nullptr, 32, 24},
    {DType::q8_0, "Q8_0", 8, nullptr, 32, 34},
    {DType::q8_1, "Q8_1", 9, nullptr, 32, 36},
    {DType::q2_k, "Q2_K", 10, nullptr, 256, 84},
    {DType::q3_k, "Q3_K", 11, nullptr, 256, 110},
    {DType::q4_k, "Q4_K", 12, nullptr, 256, 144},
    {DType::q5_k, "Q5_K", 13, nullptr, 256, 176},
    {DType::q6_k, "Q6_K", 14, nullptr, 256, 210},
    {DType::q8_k, "Q8_K", 15, nullptr, 256, 292},
    {DType::iq2_xxs, "IQ2_XXS", 16, nullptr, 256, 66},
    {DType::iq2_xs, "IQ2_XS", 17, nullptr, 256, 74},
    {DType::iq2_s, "IQ2_S", 22, nullptr, 256, 82},
    {DType::iq3_xxs, "IQ3_XXS", 18, nullptr, 256, 98},
    {DType::iq3_s, "IQ3_S", 21, nullptr, 256, 110},
    {DType::iq1_s, "IQ1_S", 19, nullptr, 256, 50},
    {DType::iq1_m, "IQ1_M", 29, nullptr, 256, 56},
    {DType::iq4_nl, "IQ4_NL", 20, nullptr, 32, 18},
    {DType::iq4_xs, "IQ4_XS", 23, nullptr, 256, 136},
    {DType::tq1_0, "TQ1_0", 34, nullptr, 256, 54},
    {DType::tq2_0, "TQ2_0", 35, nullptr, 256, 66},
    {DType::mxfp4, "MXFP4", 39, nullptr, 32, 17},
    {DType::nvfp4, "NVFP4", 40, nullptr, 64, 36},
    {DType::q1_0, "Q1_0", 41, nullptr, 128, 18},
    {DType::q2_0, "Q2_0", 42, nullptr, 64, 18},
    {DType::gi4, "GI4", -1, nullptr, 32, 22},
    {DType::gi8, "GI8", -1, nullptr, 32, 38},
    {DType::gf8, "GF8", -1, nullptr, 32, 36},
    {DType::gnf4, "GNF4", -1, nullptr, 32, 20},
    {DType::gfp4, "GFP4", -1, nullptr, 32, 20},
};

constexpr bool table_follows_enum() {
    for (std::size_t i = 0; i < std::size(kTypes); ++i)
        if (static_cast<std::size_t>(kTypes[i].type) != i) return false;
    return std::size(kTypes) == static_cast<std::size_t>(DType::gfp4) + 1;
}
static_assert(table_follows_enum());

struct Refused {
    std::uint32_t id;
    std::string_view why;
};

constexpr Refused kRefused[] = {
    {4, "Q4_2, removed from the format in 2023"},
    {5, "Q4_3, removed from the format in 2023"},
    {31, "Q4_0_4_4, removed from the format in 2024 in favour of plain Q4_0"},
    {32, "Q4_0_4_8, removed from the format in 2024 in favour of plain Q4_0"},
    {33, "Q4_0_8_8, removed from the format in 2024 in favour of plain Q4_0"},
    {36, "IQ4_NL_4_4, removed from the format in 2024 (bitnet.cpp uses the id for I2_S)"},
    {37, "IQ4_NL_4_8, removed from the format in 2024 (bitnet.cpp uses the id for I8_S)"},
    {38, "IQ4_NL_8_8, removed from the format in 2024 (bitnet.cpp uses the id for TL1)"},
    {97, "Q8_0_X4, a private type of ik_llama.cpp"},
    {98, "Q8_1_X4, a private type of ik_llama.cpp"},
    {99, "Q8_2_X4, a private type of ik_llama.cpp"},
    {101, "Q4_0_ROCMFP4_FAST, a private type of ROCmFPX"},
    {103, "Q8_0_ROCMFPX, a private type of ROCmFPX"},
    {104, "Q3_0_ROCMFPX, a private type of ROCmFPX"},
    {107, "Q2_0_ROCMFPX, a private type of ROCmFPX"},
    {133, "Q6_0, a private type of ik_llama.cpp"},
    {134, "IQ1_BN, a private type of ik_llama.cpp"},
    {135, "IQ2_BN, a private type of ik_llama.cpp"},
    {136, "Q8_K64, a private type of ik_llama.cpp"},
    {137, "IQ2_K, a private type of ik_llama.cpp"},
    {138, "IQ3_K, a private type of ik_llama.cpp"},
    {139, "IQ4_K, a private type of ik_llama.cpp"},
    {140, "IQ5_K, a private type of ik_llama.cpp"},
    {141, "IQ6_K, a private type of ik_llama.cpp"},
    {142, "PQ2_0, a private type of PrismML's llama.cpp"},
    {143, "PTQ1_0, a private type of PrismML's llama.cpp"},
    {144, "IQ4_KS, a private type of ik_llama.cpp"},
    {145, "IQ2_KS, a private type of ik_llama.cpp"},
    {146, "IQ4_KSS, a private type of ik_llama.cpp"},
    {147, "Q8_K16, a private type of ik_llama.cpp"},
    {148, "Q8_K32, a private type of ik_llama.cpp"},
    {149, "Q8_KR8, a private type of ik_llama.cpp"},
    {150, "Q8_K128, a private type of ik_llama.cpp"},
    {151, "Q8_KV, a private type of ik_llama.cpp"},
    {152, "IQ5_KS, a private type of ik_llama.cpp"},
    {153, "IQ2_KT, a private type of ik_llama.cpp"},
    {154, "IQ3_KT, a private type of ik_llama.cpp"},
    {155, "IQ4_KT, a private type of ik_llama.cpp"},
    {156, "IQ3_KS, a private type of ik_llama.cpp"},
    {157, "IQ2_KL, a private type of ik_llama.cpp"},
    {158, "IQ1_KT, a private type of ik_llama.cpp"},
    {202, "Q4_0_R8, a repacked type of ik_llama.cpp"},
    {206, "Q5_0_R4, a repacked type of ik_llama.cpp"},
    {208, "Q8_0_R8, a repacked type of ik_llama.cpp"},
    {210, "Q2_K_R4, a repacked type of ik_llama.cpp"},
    {211, "Q3_K_R4, a repacked type of ik_llama.cpp"},
    {212, "Q4_K_R4, a repacked type of ik_llama.cpp"},
    {213, "Q5_K_R4, a repacked type of ik_llama.cpp"},
    {214, "Q6_K_R4, a repacked type of ik_llama.cpp"},
    {216, "IQ2_XXS_R4, a repacked type of ik_llama.cpp"},
    {217, "IQ2_XS_R4, a repacked type of ik_llama.cpp"},
    {218, "IQ3_XXS_R4, a repacked type of ik_llama.cpp"},
    {219, "IQ1_S_R4, a repacked type of ik_llama.cpp"},
    {220, "IQ4_NL_R4, a repacked type of ik_llama.cpp"},
    {221, "IQ3_S_R4, a repacked type of ik_llama.cpp"},
    {222, "IQ2_S_R4, a repacked type of ik_llama.cpp"},
    {223, "IQ4_XS_R8, a repacked type of ik_llama.cpp"},
    {229, "IQ1_M_R4, a repacked type of ik_llama.cpp"},
    {230, "BF16_R16, a repacked type of ik_llama.cpp"},
    {233, "Q6_0_R4, a repacked type of ik_llama.cpp"},
    {335, "IQ2_BN_R4, a repacked type of ik_llama.cpp"},
    {337, "IQ2_K_R4, a repacked type of ik_llama.cpp"},
    {338, "IQ3_K_R4, a repacked type of ik_llama.cpp"},
    {339, "IQ4_K_R4, a repacked type of ik_llama.cpp"},
    {340, "IQ5_K_R4, a repacked type of ik_llama.cpp"},
    {344, "IQ4_KS_R4, a repacked type of ik_llama.cpp"},
    {352, "IQ5_KS_R4, a repacked type of ik_llama.cpp"},
    {397, "Q8_K_R16, a repacked type of ik_llama.cpp"},
    {398, "Q8_KV_R8, a repacked type of ik_llama.cpp"},
    {399, "Q8_K_R8, a repacked type of ik_llama.cpp"},
};

}  // namespace

const DTypeInfo& dtype_info(DType type) {
    const auto index = static_cast<std::size_t>(type);
    HEFT_CHECK(index < std::size(kTypes));
    return kTypes[index];
}

std::span<const DTypeInfo> dtypes() {
    return kTypes;
}

std::optional<DType> dtype_from_gguf(std::uint32_t id) {
    for (const DTypeInfo& info : kTypes)
        if (info.gguf_id >= 0 && static_cast<std::uint32_t>(info.gguf_id) == id) return info.type;
    return {};
}

std::optional<DType> dtype_from_safetensors(std::string_view name) {
    for (const DTypeInfo& info : kTypes)
        if (info.safetensors_name != nullptr && name == info.safetensors_name) return info.type;
    return {};
}

std::string_view refused_gguf_type(std::uint32_t id) {
    for (const Refused& refused : kRefused)
        if (refused.id == id) return refused.why;
    if (id >= 97 && id < 400)
        return "probably a private type of a fork of llama.cpp, such as ik_llama.cpp";
    return "unknown";
}

}  // namespace heft
