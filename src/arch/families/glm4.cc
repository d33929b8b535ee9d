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

constexpr auto kTensors = join(kEnds, kNormsAround, kAttention, kQkvBias<true>, kFusedFfn);

constexpr Family kGlm4{.name = "glm4",
                       .gguf = "glm4",
                       .tensors = kTensors,
                       .block = {.norms = Norms::around, .pairs = Pairs::neighbour}};

}  // namespace

std::span<const Family* const> glm4_families() {
    static constexpr const Family* kAll[] = {&kGlm4};
    return kAll;
}

}  // namespace heft::arch
