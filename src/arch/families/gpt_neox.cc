#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 14> kRest = {{
    {Role::token_embd, "gpt_neox.embed_in.weight", "token_embd.weight", Dim::vocab, Dim::model},
    {Role::output_norm, "gpt_neox.final_layer_norm.weight", "output_norm.weight", Dim::model},
    {Role::output_norm_bias, "gpt_neox.final_layer_norm.bias", "output_norm.bias", Dim::model},
    {Role::output, "embed_out.weight", "output.weight", Dim::vocab, Dim::model},
    {Role::attn_norm, "gpt_neox.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::attn_norm_bias, "gpt_neox.layers.{}.input_layernorm.bias", "blk.{}.attn_norm.bias",
     Dim::model},
    {Role::attn_out, "gpt_neox.layers.{}.attention.dense.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
    {Role::attn_out_bias, "gpt_neox.layers.{}.attention.dense.bias", "blk.{}.attn_output.bias",
     Dim::model},
    {Role::ffn_norm, "gpt_neox.layers.{}.post_attention_layernorm.weight", "blk.{}.ffn_norm.weight",
     Dim::model},
    {Role::ffn_norm_bias, "gpt_neox.layers.{}.post_attention_layernorm.bias",
     "blk.{}.ffn_norm.bias", Dim::model},
    {Role::ffn_up, "gpt_neox.layers.{}.mlp.dense_h_to_4h.weight", "blk.{}.ffn_up.weight", Dim::ff,
     Dim::model},
    {Role::ffn_up_bias, "gpt_neox.layers.{}.mlp.dense_h_to_4h.bias", "blk.{}.ffn_up.bias", Dim::ff},
    {Role::ffn_down, "gpt_neox.layers.{}.mlp.dense_4h_to_h.weight", "blk.{}.ffn_down.weight",
     Dim::model, Dim::ff},
    {Role::ffn_down_bias, "gpt_neox.layers.{}.mlp.dense_4h_to_h.bias", "blk.{}.ffn_down.bias",
     Dim::model},
}};

constexpr auto kTensors = join(fused_qkv("gpt_neox.layers.{}.attention.query_key_value.weight",
                                         "blk.{}.attn_qkv.weight", Dim::heads),
                               fused_qkv_bias("gpt_neox.layers.{}.attention.query_key_value.bias",
                                              "blk.{}.attn_qkv.bias", Dim::heads),
                               kRest);

Status refine(const ConfigSource& source, Config& config) {
    if (!source.flag("use_parallel_residual", "use_parallel_residual").value_or(true))
        config.block.residual = Residual::sequential;
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 50432},        {"hidden_size", 6144},
                                 {"intermediate_size", 24576}, {"num_hidden_layers", 44},
                                 {"num_attention_heads", 64},  {"max_position_embeddings", 2048},
                                 {"layer_norm_eps", 1e-5},     {"rotary_pct", 0.25}};

constexpr Family kGptNeox{.name = "gpt_neox",
                          .gguf = "gptneox",
                          .tensors = kTensors,
                          .block = {.norm = NormKind::layer,
                                    .act = Act::gelu_erf,
                                    .gated = false,
                                    .residual = Residual::parallel},
                          .defaults = kDefaults,
                          .refine = refine};

}  // namespace

std::span<const Family* const> gpt_neox_families() {
    static constexpr const Family* kAll[] = {&kGptNeox};
    return kAll;
}

}  // namespace heft::arch
