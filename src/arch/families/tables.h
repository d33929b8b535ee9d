// Tensor tables that families share. A family joins the pieces that it has.
#pragma once

#include "arch/tensors.h"

namespace heft::arch {

extern const Family kLlama, kMistral, kQwen2, kQwen3, kGemma, kPhi3;

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
    {Role::attn_v, "model.layers.{}.self_attn.v_proj.weight", "blk.{}.attn_v.weight", Dim::kv,
     Dim::model},
    {Role::attn_out, "model.layers.{}.self_attn.o_proj.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::q},
}};

template <bool optional>
inline constexpr std::array<Tensor, 3> kQkvBias = {{
    {Role::attn_q_bias, "model.layers.{}.self_attn.q_proj.bias", "blk.{}.attn_q.bias", Dim::q,
     Dim::none, optional},
    {Role::attn_k_bias, "model.layers.{}.self_attn.k_proj.bias", "blk.{}.attn_k.bias", Dim::kv,
     Dim::none, optional},
    {Role::attn_v_bias, "model.layers.{}.self_attn.v_proj.bias", "blk.{}.attn_v.bias", Dim::kv,
     Dim::none, optional},
}};

inline constexpr std::array<Tensor, 1> kOutBias = {{
    {Role::attn_out_bias, "model.layers.{}.self_attn.o_proj.bias", "blk.{}.attn_output.bias",
     Dim::model, Dim::none, true},
}};

inline constexpr std::array<Tensor, 2> kQkNorm = {{
    {Role::attn_q_norm, "model.layers.{}.self_attn.q_norm.weight", "blk.{}.attn_q_norm.weight",
     Dim::head},
    {Role::attn_k_norm, "model.layers.{}.self_attn.k_norm.weight", "blk.{}.attn_k_norm.weight",
     Dim::head},
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

// GGUF keeps llama3's rope scaling as a tensor of divisors.
inline constexpr std::array<Tensor, 1> kRopeDivisors = {{
    {Role::rope_divisors, nullptr, "rope_freqs.weight", Dim::rope_pairs, Dim::none, true},
}};

// GGUF keeps longrope's factors as tensors.
inline constexpr std::array<Tensor, 2> kRopeFactors = {{
    {Role::rope_long, nullptr, "rope_factors_long.weight", Dim::rope_pairs, Dim::none, true},
    {Role::rope_short, nullptr, "rope_factors_short.weight", Dim::rope_pairs, Dim::none, true},
}};

}  // namespace heft::arch
