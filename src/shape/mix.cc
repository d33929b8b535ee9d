#include "shape/mix.h"

#include <algorithm>
#include <cctype>

#include "shape/mix_rules.h"

namespace heft::shape {

namespace {

constexpr MixInfo kMixes[] = {
    {Mix::f32, "F32", DType::f32, 0, 32},
    {Mix::f16, "F16", DType::f16, 1, 16},
    {Mix::bf16, "BF16", DType::bf16, 32, 16},
    {Mix::q8_0, "Q8_0", DType::q8_0, 7, 8.5},
    {Mix::q6_k, "Q6_K", DType::q6_k, 18, 6.56},
    {Mix::q5_k_m, "Q5_K_M", DType::q5_k, 17, 5.7},
    {Mix::q5_k_s, "Q5_K_S", DType::q5_k, 16, 5.5},
    {Mix::q5_1, "Q5_1", DType::q5_1, 9, 6.0},
    {Mix::q5_0, "Q5_0", DType::q5_0, 8, 5.5},
    {Mix::q4_k_m, "Q4_K_M", DType::q4_k, 15, 4.85},
    {Mix::q4_k_s, "Q4_K_S", DType::q4_k, 14, 4.6},
    {Mix::q4_1, "Q4_1", DType::q4_1, 3, 5.0},
    {Mix::q4_0, "Q4_0", DType::q4_0, 2, 4.5},
    {Mix::iq4_nl, "IQ4_NL", DType::iq4_nl, 25, 4.5},
    {Mix::iq4_xs, "IQ4_XS", DType::iq4_xs, 30, 4.3},
    {Mix::mxfp4_moe, "MXFP4_MOE", DType::mxfp4, 38, 4.25},
    {Mix::q3_k_l, "Q3_K_L", DType::q3_k, 13, 4.3},
    {Mix::q3_k_m, "Q3_K_M", DType::q3_k, 12, 3.9},
    {Mix::q3_k_s, "Q3_K_S", DType::q3_k, 11, 3.5},
    {Mix::iq3_m, "IQ3_M", DType::iq3_s, 27, 3.66},
    {Mix::iq3_s, "IQ3_S", DType::iq3_s, 26, 3.44},
    {Mix::iq3_xs, "IQ3_XS", DType::iq3_s, 22, 3.3},
    {Mix::iq3_xxs, "IQ3_XXS", DType::iq3_xxs, 23, 3.06, true},
    {Mix::q2_k, "Q2_K", DType::q2_k, 10, 3.0},
    {Mix::q2_k_s, "Q2_K_S", DType::q2_k, 21, 2.8, true},
    {Mix::iq2_m, "IQ2_M", DType::iq2_s, 29, 2.7, true},
    {Mix::iq2_s, "IQ2_S", DType::iq2_xs, 28, 2.5, true},
    {Mix::iq2_xs, "IQ2_XS", DType::iq2_xs, 20, 2.31, true},
    {Mix::iq2_xxs, "IQ2_XXS", DType::iq2_xxs, 19, 2.06, true},
    {Mix::tq2_0, "TQ2_0", DType::tq2_0, 37, 2.06},
    {Mix::iq1_m, "IQ1_M", DType::iq1_m, 31, 1.75, true},
    {Mix::tq1_0, "TQ1_0", DType::tq1_0, 36, 1.69},
    {Mix::iq1_s, "IQ1_S", DType::iq1_s, 24, 1.56, true},
};

struct OtherName {
    const char* name;
    Mix mix;
};
constexpr OtherName kOtherNames[] = {
    {"Q3_K", Mix::q3_k_m},
    {"Q4_K", Mix::q4_k_m},
    {"Q5_K", Mix::q5_k_m},
    {"MXFP4", Mix::mxfp4_moe},
};

bool same_letters(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::toupper(static_cast<unsigned char>(x))
               == std::toupper(static_cast<unsigned char>(y));
    });
}

// Matrices that are small and do much harm, or are not multiplied by: kept as they are.
constexpr std::string_view kKept[] = {
    "_norm.weight",
    "ffn_gate_inp",
    "position_embd.weight",
    "token_types.weight",
    "ssm_conv1d",
    "shortconv.conv",
    "time_mix_",
    "attn_rel_b",
    "altup",
    "laurel",
    "per_layer_model_proj",
};

// Where the rows are not whole blocks of a type.
DType with_smaller_blocks(DType type) {
    switch (type) {
        case DType::tq1_0:
        case DType::tq2_0: return DType::q4_0;
        case DType::q4_k: return DType::q5_0;
        case DType::q5_k: return DType::q5_1;
        case DType::q6_k: return DType::q8_0;
        default: return dtype_info(type).block > 32 ? DType::iq4_nl : DType::f16;
    }
}

}  // namespace

std::span<const MixInfo> mixes() {
    return kMixes;
}

const MixInfo* find_mix(std::string_view name) {
    for (const MixInfo& info : kMixes)
        if (same_letters(info.name, name)) return &info;
    for (const OtherName& other : kOtherNames)
        if (same_letters(other.name, name))
            for (const MixInfo& info : kMixes)
                if (info.mix == other.mix) return &info;
    return nullptr;
}

bool is_quantised(const TensorFacts& tensor) {
    if (tensor.rank < 2 || !tensor.name.ends_with("weight")) return false;
    return std::none_of(std::begin(kKept), std::end(kKept), [&tensor](std::string_view kept) {
        return tensor.name.find(kept) != std::string_view::npos;
    });
}

DType fitting_type(DType wanted, std::int64_t n_cols) {
    if (n_cols % dtype_info(wanted).block == 0) return wanted;
    const DType smaller = with_smaller_blocks(wanted);
    return n_cols % dtype_info(smaller).block == 0 ? smaller : DType::f16;
}

DType type_in_mix(const MixInfo& mix, const ModelFacts& model, const TensorFacts& tensor) {
    return fitting_type(type_by_rules(mix, model, tensor), tensor.n_cols);
}

}  // namespace heft::shape
