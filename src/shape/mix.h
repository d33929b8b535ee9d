// The mixes by which files are quantised ("Q4_K_M"): a type for most matrices, and better ones for
// those that do most harm. The rules are llama.cpp's, so that a name means the same everywhere;
// they are a table (mix_rules.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tensor/dtype.h"

namespace heft::shape {

enum class Mix : std::uint8_t {
    f32,
    f16,
    bf16,
    q8_0,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q2_k,
    q2_k_s,
    q3_k_s,
    q3_k_m,
    q3_k_l,
    q4_k_s,
    q4_k_m,
    q5_k_s,
    q5_k_m,
    q6_k,
    iq4_nl,
    iq4_xs,
    iq3_xxs,
    iq3_xs,
    iq3_s,
    iq3_m,
    iq2_xxs,
    iq2_xs,
    iq2_s,
    iq2_m,
    iq1_s,
    iq1_m,
    tq1_0,
    tq2_0,
    mxfp4_moe,
};

struct MixInfo {
    Mix mix;
    const char* name;
    DType base;
    int file_type;                  // general.file_type
    double bits;                    // about, per weight of a large model, for choosing and for help
    bool wants_importance = false;  // is poor without an importance matrix
};
std::span<const MixInfo> mixes();
// By name, letters' case aside. "Q3_K", "Q4_K" and "Q5_K" mean the medium ones, "MXFP4" the mix of
// mixtures of experts.
const MixInfo* find_mix(std::string_view name);

// What the rules ask of a model.
struct ModelFacts {
    int n_layer = 0;
    int n_expert = 0;
    int n_gqa = 1;           // query heads that share a key/value head
    bool has_output = true;  // false: the embedding matrix is the output matrix, too
    bool has_importance = false;
};

// What they ask of a tensor; its name as in GGUF files.
struct TensorFacts {
    std::string_view name;
    std::int64_t n_cols = 0;
    int rank = 2;
};

// Whether a matrix of this name is quantised at all.
bool is_quantised(const TensorFacts& tensor);

// Its type. Rows that are not whole blocks get the nearest type of smaller blocks, F16 at last.
DType type_in_mix(const MixInfo& mix, const ModelFacts& model, const TensorFacts& tensor);
DType fitting_type(DType wanted, std::int64_t n_cols);

}  // namespace heft::shape
