// Tensor tables that families share. A family joins the pieces that it has.
#pragma once

#include "arch/config_source.h"
#include "arch/tensors.h"

namespace heft::arch {

inline constexpr std::array<Tensor, 3> kEnds = {{
    {Role::token_embd, "model.embed_tokens.weight", "token_embd.weight", Dim::vocab, Dim::model},
    {Role::output_norm, "model.norm.weight", "output_norm.weight", Dim::model},
    {Role::output, "lm_head.weight", "output.weight", Dim::vocab, Dim::model},
}};

inline constexpr std::array<Tensor, 2> kBlockNorms = {{
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::ffn_norm, "model.layers.{}.post_attention_layernorm.weight", "blk.{}.ffn_norm.weight",
     Dim::model},
}};

inline constexpr std::array<Tensor, 4> kAttention = {{
    {Role::attn_q, "model.layers.{}.self_attn.q_proj.weight", "blk.{}.attn_q.weight", Dim::q,
     Dim::model},
    {Role::attn_k, "model.layers.{}.self_attn.k_proj.weight", "blk.{}.attn_k.weight", Dim::kv,
     Dim::model},
    {Role::attn_v, "model.layers.{}.self_attn.v_proj.weight", "blk.{}.attn_v.weight", Dim::kv_value,
     Dim::model},
    {Role::attn_out, "model.layers.{}.self_attn.o_proj.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
}};

template <bool optional>
inline constexpr std::array<Tensor, 3> kQkvBias = {{
    {Role::attn_q_bias, "model.layers.{}.self_attn.q_proj.bias", "blk.{}.attn_q.bias", Dim::q,
     Dim::none, optional},
    {Role::attn_k_bias, "model.layers.{}.self_attn.k_proj.bias", "blk.{}.attn_k.bias", Dim::kv,
     Dim::none, optional},
    {Role::attn_v_bias, "model.layers.{}.self_attn.v_proj.bias", "blk.{}.attn_v.bias",
     Dim::kv_value, Dim::none, optional},
}};

inline constexpr std::array<Tensor, 1> kOutBias = {{
    {Role::attn_out_bias, "model.layers.{}.self_attn.o_proj.bias", "blk.{}.attn_output.bias",
     Dim::model, Dim::none, true},
}};

// Of one head each, or of all heads together.
template <Dim q_rows, Dim k_rows>
inline constexpr std::array<Tensor, 2> kQkNorm = {{
    {Role::attn_q_norm, "model.layers.{}.self_attn.q_norm.weight", "blk.{}.attn_q_norm.weight",
     q_rows},
    {Role::attn_k_norm, "model.layers.{}.self_attn.k_norm.weight", "blk.{}.attn_k_norm.weight",
     k_rows},
}};

inline constexpr std::array<Tensor, 3> kGatedFfn = {{
    {Role::ffn_gate, "model.layers.{}.mlp.gate_proj.weight", "blk.{}.ffn_gate.weight", Dim::ff,
     Dim::model},
    {Role::ffn_up, "model.layers.{}.mlp.up_proj.weight", "blk.{}.ffn_up.weight", Dim::ff,
     Dim::model},
    {Role::ffn_down, "model.layers.{}.mlp.down_proj.weight", "blk.{}.ffn_down.weight", Dim::model,
     Dim::ff},
}};

inline constexpr std::array<Tensor, 3> kGatedFfnBias = {{
    {Role::ffn_gate_bias, "model.layers.{}.mlp.gate_proj.bias", "blk.{}.ffn_gate.bias", Dim::ff,
     Dim::none, true},
    {Role::ffn_up_bias, "model.layers.{}.mlp.up_proj.bias", "blk.{}.ffn_up.bias", Dim::ff,
     Dim::none, true},
    {Role::ffn_down_bias, "model.layers.{}.mlp.down_proj.bias", "blk.{}.ffn_down.bias", Dim::model,
     Dim::none, true},
}};

// One matrix for all; the pair is gate, then up. GGUF calls it by the name of the second.
inline constexpr std::array<Tensor, 3> kFusedFfn = {{
    {.role = Role::ffn_gate,
     .hf = "model.layers.{}.mlp.gate_up_proj.weight",
     .gguf = "blk.{}.ffn_up.weight",
     .rows = Dim::ff,
     .cols = Dim::model,
     .fused = {{Dim::ff, Dim::ff}, 0},
     .gguf_fused = {{Dim::ff, Dim::ff}, 0}},
    {.role = Role::ffn_up,
     .hf = "model.layers.{}.mlp.gate_up_proj.weight",
     .gguf = "blk.{}.ffn_up.weight",
     .rows = Dim::ff,
     .cols = Dim::model,
     .fused = {{Dim::ff, Dim::ff}, 1},
     .gguf_fused = {{Dim::ff, Dim::ff}, 1}},
    {Role::ffn_down, "model.layers.{}.mlp.down_proj.weight", "blk.{}.ffn_down.weight", Dim::model,
     Dim::ff},
}};

// Dense layers of a model whose other layers have experts.
template <std::size_t size>
constexpr std::array<Tensor, size> in_layers(On on, std::array<Tensor, size> tensors) {
    for (Tensor& tensor : tensors) tensor.on = on;
    return tensors;
}

// Norms that are stored minus one in Hugging Face files; GGUF holds the sum.
template <std::size_t size>
constexpr std::array<Tensor, size> norms_plus_one(std::array<Tensor, size> tensors) {
    for (Tensor& tensor : tensors) {
        const bool is_norm =
            tensor.cols == Dim::none
            && std::string_view(tensor.gguf).find("norm") != std::string_view::npos;
        if (is_norm) tensor.load = Load::plus_one;
    }
    return tensors;
}

constexpr Tensor expert(Role role, const char* hf, const char* gguf, Dim rows, Dim cols) {
    return {.role = role,
            .hf = hf,
            .gguf = gguf,
            .rows = rows,
            .cols = cols,
            .on = On::sparse,
            .per_expert = true};
}

constexpr Tensor sparse(Role role, const char* hf, const char* gguf, Dim rows, Dim cols = Dim::none,
                        bool optional = false) {
    return {.role = role,
            .hf = hf,
            .gguf = gguf,
            .rows = rows,
            .cols = cols,
            .optional = optional,
            .on = On::sparse};
}

inline constexpr std::array<Tensor, 4> kExperts = {{
    sparse(Role::router, "model.layers.{}.mlp.gate.weight", "blk.{}.ffn_gate_inp.weight",
           Dim::experts, Dim::model),
    expert(Role::expert_gate, "model.layers.{}.mlp.experts.{}.gate_proj.weight",
           "blk.{}.ffn_gate_exps.weight", Dim::expert_ff, Dim::model),
    expert(Role::expert_up, "model.layers.{}.mlp.experts.{}.up_proj.weight",
           "blk.{}.ffn_up_exps.weight", Dim::expert_ff, Dim::model),
    expert(Role::expert_down, "model.layers.{}.mlp.experts.{}.down_proj.weight",
           "blk.{}.ffn_down_exps.weight", Dim::model, Dim::expert_ff),
}};

// GGUF keeps llama3's rope scaling as a tensor of divisors.
inline constexpr std::array<Tensor, 1> kRopeDivisors = {{
    {Role::rope_divisors, nullptr, "rope_freqs.weight", Dim::rope_pairs, Dim::none, true},
}};

// GGUF keeps longrope's factors as tensors.
inline constexpr std::array<Tensor, 2> kRopeFactors = {{
    {Role::rope_long, nullptr, "rope_factors_long.weight", Dim::rope_pairs, Dim::none, true},
    {Role::rope_short, nullptr, "rope_factors_short.weight", Dim::rope_pairs, Dim::none, true},
}};

// A matrix of q, k and v together; `hf_units`: how their rows come in Hugging Face files. GGUF has
// all of q, then k, then v.
constexpr std::array<Tensor, 3> fused_qkv(const char* hf, const char* gguf, Dim hf_units) {
    std::array<Tensor, 3> out{};
    constexpr Role kParts[] = {Role::attn_q, Role::attn_k, Role::attn_v};
    constexpr Dim kRows[] = {Dim::q, Dim::kv, Dim::kv_value};
    for (int part = 0; part < 3; ++part) {
        Tensor& tensor = out[static_cast<std::size_t>(part)];
        tensor.role = kParts[part];
        tensor.hf = hf;
        tensor.gguf = gguf;
        tensor.rows = kRows[part];
        tensor.cols = Dim::model;
        tensor.fused = {{Dim::q, Dim::kv, Dim::kv_value}, part, hf_units};
        tensor.gguf_fused = {{Dim::q, Dim::kv, Dim::kv_value}, part};
    }
    return out;
}

// Its biases.
constexpr std::array<Tensor, 3> fused_qkv_bias(const char* hf, const char* gguf, Dim hf_units,
                                               bool optional = false) {
    std::array<Tensor, 3> out = fused_qkv(hf, gguf, hf_units);
    constexpr Role kParts[] = {Role::attn_q_bias, Role::attn_k_bias, Role::attn_v_bias};
    for (std::size_t part = 0; part < 3; ++part) {
        out[part].role = kParts[part];
        out[part].cols = Dim::none;
        out[part].optional = optional;
    }
    return out;
}

}  // namespace heft::arch
