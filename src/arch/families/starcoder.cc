#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 7> kNormBiasesAndFfn = {{
    {Role::output_norm_bias, "model.norm.bias", "output_norm.bias", Dim::model},
    {Role::attn_norm_bias, "model.layers.{}.input_layernorm.bias", "blk.{}.attn_norm.bias",
     Dim::model},
    {Role::ffn_norm_bias, "model.layers.{}.post_attention_layernorm.bias", "blk.{}.ffn_norm.bias",
     Dim::model},
    {Role::ffn_up, "model.layers.{}.mlp.c_fc.weight", "blk.{}.ffn_up.weight", Dim::ff, Dim::model},
    {Role::ffn_up_bias, "model.layers.{}.mlp.c_fc.bias", "blk.{}.ffn_up.bias", Dim::ff, Dim::none,
     true},
    {Role::ffn_down, "model.layers.{}.mlp.c_proj.weight", "blk.{}.ffn_down.weight", Dim::model,
     Dim::ff},
    {Role::ffn_down_bias, "model.layers.{}.mlp.c_proj.bias", "blk.{}.ffn_down.bias", Dim::model,
     Dim::none, true},
}};

constexpr auto kStarcoder2Tensors =
    join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kNormBiasesAndFfn);

constexpr Default kDefaults[] = {{"vocab_size", 49152},
                                 {"hidden_size", 3072},
                                 {"intermediate_size", 12288},
                                 {"num_hidden_layers", 30},
                                 {"num_attention_heads", 24},
                                 {"num_key_value_heads", 2},
                                 {"max_position_embeddings", 4096},
                                 {"norm_epsilon", 1e-5},
                                 {"tie_word_embeddings", 1}};

constexpr Family kStarcoder2{
    .name = "starcoder2",
    .gguf = "starcoder2",
    .tensors = kStarcoder2Tensors,
    .block = {.norm = NormKind::layer, .act = Act::gelu_tanh, .gated = false},
    .window = Window::every,
    .defaults = kDefaults};

}  // namespace

std::span<const Family* const> starcoder_families() {
    static constexpr const Family* kAll[] = {&kStarcoder2};
    return kAll;
}

}  // namespace heft::arch
