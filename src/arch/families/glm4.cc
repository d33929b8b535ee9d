#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 4> kNormsAround = {{
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::attn_post_norm, "model.layers.{}.post_self_attn_layernorm.weight",
     "blk.{}.post_attention_norm.weight", Dim::model},
    {Role::ffn_norm, "model.layers.{}.post_attention_layernorm.weight", "blk.{}.ffn_norm.weight",
     Dim::model},
    {Role::ffn_post_norm, "model.layers.{}.post_mlp_layernorm.weight",
     "blk.{}.post_ffw_norm.weight", Dim::model},
}};

constexpr auto kGlm4Tensors = join(kEnds, kNormsAround, kAttention, kQkvBias<true>, kFusedFfn);

// GGUF files made from the makers' first format hold q, k and v as one.
constexpr auto kGlmTensors = join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kFusedFfn,
                                  fused_qkv(nullptr, "blk.{}.attn_qkv.weight", Dim::one),
                                  fused_qkv_bias(nullptr, "blk.{}.attn_qkv.bias", Dim::one, true));

// Half of each head rotates.
constexpr Default kDefaults[] = {{"vocab_size", 151552},
                                 {"hidden_size", 4096},
                                 {"intermediate_size", 13696},
                                 {"num_hidden_layers", 40},
                                 {"num_attention_heads", 32},
                                 {"num_key_value_heads", 2},
                                 {"head_dim", 128},
                                 {"max_position_embeddings", 131072},
                                 {"rms_norm_eps", 1.5625e-7},
                                 {"partial_rotary_factor", 0.5}};

constexpr Family kGlm4{.name = "glm4",
                       .gguf = "glm4",
                       .tensors = kGlm4Tensors,
                       .block = {.norms = Norms::around, .pairs = Pairs::neighbour},
                       .defaults = kDefaults};

// GLM-4-9B as of 2024: the same with norms before blocks only.
constexpr Family kGlm{.name = "glm",
                      .gguf = "chatglm",
                      .tensors = kGlmTensors,
                      .block = {.pairs = Pairs::neighbour},
                      .defaults = kDefaults};

}  // namespace

std::span<const Family* const> glm4_families() {
    static constexpr const Family* kAll[] = {&kGlm4, &kGlm};
    return kAll;
}

}  // namespace heft::arch
