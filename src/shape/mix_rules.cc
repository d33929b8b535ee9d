// Which tensors of a mix get another type than most, as llama.cpp's quantiser chooses
// (llama-quant.cpp, MIT). The first row that fits decides; without one it is the mix's base type.
// Left out: what llama.cpp does for Falcon alone.
#include "shape/mix_rules.h"

#include <charconv>
#include <initializer_list>

namespace heft::shape {

namespace {

enum class Part : std::uint8_t {
    output,  // also the embedding matrix where it is both
    token_embd,
    attn_q,
    attn_k,
    attn_v,
    attn_qkv,
    attn_output,
    ffn_gate,
    ffn_up,
    ffn_down,
    stack,  // any matrix of stacked experts
    other,
};

struct PartName {
    std::string_view in_name;
    Part part;
};
constexpr PartName kParts[] = {
    {"token_embd.weight", Part::token_embd},
    {"attn_v.weight", Part::attn_v},
    {"attn_k.weight", Part::attn_k},
    {"attn_q.weight", Part::attn_q},
    {"attn_qkv.weight", Part::attn_qkv},
    {"attn_output.weight", Part::attn_output},
    {"ffn_down", Part::ffn_down},
    {"ffn_gate", Part::ffn_gate},
    {"ffn_up", Part::ffn_up},
};

enum class When : std::uint8_t {
    always,
    first_eighth,  // of the layers
    first_sixteenth,
    middle,     // neither the first nor the last eighth
    more_bits,  // the first and the last eighth, and every third between
    first_two,
    first_four,
    shared_by_four,     // at least four query heads use one head of keys and values
    shared_or_experts,  // that, or at least four experts
    eight_experts,
    eighty_layers,  // the 70B models, whose attn_v is small beside the rest
    no_importance,
    eighth_no_importance,
    eighth_with_importance,
    eight_experts_more_bits,
    odd_rows,  // not whole blocks of the base type
};

constexpr std::uint64_t of(std::initializer_list<Mix> mixes) {
    std::uint64_t set = 0;
    for (const Mix mix : mixes) set |= 1ULL << static_cast<int>(mix);
    return set;
}
constexpr std::uint64_t kAny = ~0ULL;
constexpr std::uint64_t kLow =
    of({Mix::iq1_s, Mix::iq1_m, Mix::iq2_xxs, Mix::iq2_xs, Mix::iq2_s, Mix::iq2_m});
constexpr std::uint64_t kIq2High = of({Mix::iq2_s, Mix::iq2_m});

struct Rule {
    Part part;
    std::uint64_t mixes;
    When when;
    DType type;
};

// clang-format off
constexpr Rule kRules[] = {
    {Part::output, of({Mix::mxfp4_moe, Mix::q8_0}), When::always, DType::q8_0},
    {Part::output, kAny, When::odd_rows, DType::q8_0},
    {Part::output, kLow | of({Mix::iq3_xxs}), When::always, DType::q5_k},
    {Part::output, kAny, When::always, DType::q6_k},

    {Part::stack, of({Mix::mxfp4_moe}), When::always, DType::mxfp4},

    {Part::token_embd, kLow & ~kIq2High, When::always, DType::q2_k},
    {Part::token_embd, kIq2High | of({Mix::iq3_xxs}), When::always, DType::iq3_s},
    {Part::token_embd, of({Mix::tq1_0, Mix::tq2_0}), When::always, DType::q4_k},

    {Part::attn_v, kLow, When::shared_or_experts, DType::q4_k},
    {Part::attn_v, kIq2High, When::always, DType::iq3_s},
    {Part::attn_v, kLow, When::always, DType::q2_k},
    {Part::attn_v, kAny & ~of({Mix::mxfp4_moe}), When::eight_experts, DType::q8_0},
    {Part::attn_v, of({Mix::q4_k_m, Mix::q5_k_m}), When::more_bits, DType::q6_k},
    {Part::attn_v, of({Mix::q2_k, Mix::q2_k_s, Mix::q3_k_s, Mix::q3_k_m, Mix::q4_k_s, Mix::q4_k_m,
                       Mix::iq3_xxs, Mix::iq3_xs, Mix::iq3_s, Mix::iq3_m}),
     When::eighty_layers, DType::q5_k},
    {Part::attn_v, of({Mix::q2_k, Mix::q2_k_s, Mix::iq3_xxs, Mix::iq3_xs, Mix::iq3_s}),
     When::shared_by_four, DType::q4_k},
    {Part::attn_v, of({Mix::q2_k}), When::always, DType::q3_k},
    {Part::attn_v, of({Mix::iq3_xxs}), When::no_importance, DType::iq3_s},
    {Part::attn_v, of({Mix::iq3_m}), When::always, DType::q4_k},
    {Part::attn_v, of({Mix::q3_k_m}), When::first_two, DType::q5_k},
    {Part::attn_v, of({Mix::q3_k_m}), When::always, DType::q4_k},
    {Part::attn_v, of({Mix::q3_k_l}), When::always, DType::q5_k},
    {Part::attn_v, of({Mix::iq4_nl, Mix::iq4_xs}), When::shared_by_four, DType::q5_k},
    {Part::attn_v, of({Mix::q4_k_s}), When::first_four, DType::q5_k},

    {Part::attn_k, kLow, When::eight_experts, DType::q4_k},
    {Part::attn_k, kAny & ~kLow & ~of({Mix::mxfp4_moe}), When::eight_experts, DType::q8_0},
    {Part::attn_k, of({Mix::iq3_xs}), When::always, DType::iq3_xxs},
    {Part::attn_k, of({Mix::iq3_xxs}), When::always, DType::iq2_s},
    {Part::attn_q, of({Mix::iq3_xs}), When::always, DType::iq3_xxs},
    {Part::attn_q, of({Mix::iq3_xxs}), When::always, DType::iq2_s},

    {Part::ffn_down, kIq2High, When::first_eighth, DType::iq3_s},
    {Part::ffn_down, kLow, When::first_eighth, DType::q2_k},
    {Part::ffn_down, of({Mix::q2_k}), When::always, DType::q3_k},
    {Part::ffn_down, of({Mix::q2_k_s}), When::first_eighth, DType::q4_k},
    {Part::ffn_down, of({Mix::iq3_xxs}), When::eighth_no_importance, DType::q4_k},
    {Part::ffn_down, of({Mix::iq3_xxs}), When::no_importance, DType::q3_k},
    {Part::ffn_down, of({Mix::q3_k_m}), When::first_sixteenth, DType::q5_k},
    {Part::ffn_down, of({Mix::q3_k_m}), When::always, DType::q4_k},
    {Part::ffn_down, of({Mix::iq3_m}), When::first_eighth, DType::q4_k},
    {Part::ffn_down, of({Mix::iq3_m}), When::eight_experts_more_bits, DType::q4_k},
    {Part::ffn_down, of({Mix::q3_k_l}), When::always, DType::q5_k},
    {Part::ffn_down, of({Mix::q4_k_m, Mix::q5_k_m}), When::more_bits, DType::q6_k},
    {Part::ffn_down, of({Mix::iq4_nl, Mix::iq4_xs}), When::eighth_no_importance, DType::q5_k},
    {Part::ffn_down, of({Mix::q4_k_s}), When::first_eighth, DType::q5_k},
    {Part::ffn_down, of({Mix::q4_0}), When::eighth_with_importance, DType::q4_1},
    {Part::ffn_down, of({Mix::q5_0}), When::eighth_with_importance, DType::q5_1},

    {Part::attn_output, kLow, When::eight_experts, DType::q5_k},
    {Part::attn_output, of({Mix::iq1_s, Mix::iq1_m}), When::always, DType::iq2_xxs},
    {Part::attn_output, kIq2High, When::always, DType::iq3_s},
    {Part::attn_output, of({Mix::q2_k, Mix::iq3_xs, Mix::iq3_xxs, Mix::q3_k_s, Mix::q3_k_m,
                            Mix::iq4_nl, Mix::q4_k_s, Mix::q4_k_m, Mix::iq3_s, Mix::iq3_m,
                            Mix::iq4_xs}),
     When::eight_experts, DType::q5_k},
    {Part::attn_output, of({Mix::q3_k_l}), When::eight_experts, DType::q3_k},
    {Part::attn_output, of({Mix::q2_k}), When::always, DType::q3_k},
    {Part::attn_output, of({Mix::iq3_xxs}), When::always, DType::iq3_s},
    {Part::attn_output, of({Mix::q3_k_m, Mix::iq3_m}), When::always, DType::q4_k},
    {Part::attn_output, of({Mix::q3_k_l}), When::always, DType::q5_k},

    {Part::attn_qkv, of({Mix::q3_k_m, Mix::q3_k_l, Mix::iq3_m}), When::always, DType::q4_k},
    {Part::attn_qkv, of({Mix::q4_k_m}), When::always, DType::q5_k},
    {Part::attn_qkv, of({Mix::q5_k_m}), When::always, DType::q6_k},

    {Part::ffn_gate, of({Mix::iq3_xs}), When::middle, DType::iq3_xxs},
    {Part::ffn_up, of({Mix::iq3_xs}), When::middle, DType::iq3_xxs},
};
// clang-format on

Part part_of(const ModelFacts& model, const TensorFacts& tensor) {
    if (tensor.name == "output.weight") return Part::output;
    if (tensor.name == "token_embd.weight" && !model.has_output) return Part::output;
    for (const PartName& row : kParts)
        if (tensor.name.find(row.in_name) != std::string_view::npos) return row.part;
    return Part::other;
}

// "blk.12.attn_v.weight": 12. Of other names: 0.
int layer_of(std::string_view name) {
    constexpr std::string_view kBefore = "blk.";
    int layer = 0;
    if (name.starts_with(kBefore))
        std::from_chars(name.data() + kBefore.size(), name.data() + name.size(), layer);
    return layer;
}

bool in_more_bits(int layer, int n) {
    return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
}

bool holds(When when, const MixInfo& mix, const ModelFacts& model, const TensorFacts& tensor) {
    const int layer = layer_of(tensor.name);
    const int n = model.n_layer;
    const bool first_eighth = layer < n / 8;
    switch (when) {
        case When::always: return true;
        case When::first_eighth: return first_eighth;
        case When::first_sixteenth: return layer < n / 16;
        case When::middle: return !first_eighth && layer < 7 * n / 8;
        case When::more_bits: return in_more_bits(layer, n);
        case When::first_two: return layer < 2;
        case When::first_four: return layer < 4;
        case When::shared_by_four: return model.n_gqa >= 4;
        case When::shared_or_experts: return model.n_gqa >= 4 || model.n_expert >= 4;
        case When::eight_experts: return model.n_expert == 8;
        case When::eighty_layers: return n == 80 && model.n_gqa > 1;
        case When::no_importance: return !model.has_importance;
        case When::eighth_no_importance: return first_eighth && !model.has_importance;
        case When::eighth_with_importance: return first_eighth && model.has_importance;
        case When::eight_experts_more_bits: return model.n_expert == 8 && in_more_bits(layer, n);
        case When::odd_rows: return tensor.n_cols % dtype_info(mix.base).block != 0;
    }
    return false;
}

bool is_plain(const MixInfo& mix) {
    return dtype_info(mix.base).block == 1;
}

DType base_of(const MixInfo& mix) {
    return mix.mix == Mix::mxfp4_moe ? DType::q8_0 : mix.base;  // but stacks of experts
}

}  // namespace

DType type_by_rules(const MixInfo& mix, const ModelFacts& model, const TensorFacts& tensor) {
    if (is_plain(mix)) return mix.base;
    const Part part = part_of(model, tensor);
    const bool is_stack = tensor.rank > 2;
    for (const Rule& rule : kRules) {
        const bool is_part = rule.part == part || (rule.part == Part::stack && is_stack);
        if (!is_part || (rule.mixes >> static_cast<int>(mix.mix) & 1U) == 0) continue;
        if (holds(rule.when, mix, model, tensor)) return rule.type;
    }
    return base_of(mix);
}

}  // namespace heft::shape
