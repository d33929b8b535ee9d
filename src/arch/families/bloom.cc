#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 16> kRest = {{
    {Role::token_embd, "transformer.word_embeddings.weight", "token_embd.weight", Dim::vocab,
     Dim::model},
    {Role::embd_norm, "transformer.word_embeddings_layernorm.weight", "token_embd_norm.weight",
     Dim::model},
    {Role::embd_norm_bias, "transformer.word_embeddings_layernorm.bias", "token_embd_norm.bias",
     Dim::model},
    {Role::output_norm, "transformer.ln_f.weight", "output_norm.weight", Dim::model},
    {Role::output_norm_bias, "transformer.ln_f.bias", "output_norm.bias", Dim::model},
    {Role::output, "lm_head.weight", "output.weight", Dim::vocab, Dim::model},
    {Role::attn_norm, "transformer.h.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::attn_norm_bias, "transformer.h.{}.input_layernorm.bias", "blk.{}.attn_norm.bias",
     Dim::model},
    {Role::attn_out, "transformer.h.{}.self_attention.dense.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
    {Role::attn_out_bias, "transformer.h.{}.self_attention.dense.bias", "blk.{}.attn_output.bias",
     Dim::model},
    {Role::ffn_norm, "transformer.h.{}.post_attention_layernorm.weight", "blk.{}.ffn_norm.weight",
     Dim::model},
    {Role::ffn_norm_bias, "transformer.h.{}.post_attention_layernorm.bias", "blk.{}.ffn_norm.bias",
     Dim::model},
    {Role::ffn_up, "transformer.h.{}.mlp.dense_h_to_4h.weight", "blk.{}.ffn_up.weight", Dim::ff,
     Dim::model},
    {Role::ffn_up_bias, "transformer.h.{}.mlp.dense_h_to_4h.bias", "blk.{}.ffn_up.bias", Dim::ff},
    {Role::ffn_down, "transformer.h.{}.mlp.dense_4h_to_h.weight", "blk.{}.ffn_down.weight",
     Dim::model, Dim::ff},
    {Role::ffn_down_bias, "transformer.h.{}.mlp.dense_4h_to_h.bias", "blk.{}.ffn_down.bias",
     Dim::model},
}};

constexpr auto kTensors =
    join(fused_qkv("transformer.h.{}.self_attention.query_key_value.weight",
                   "blk.{}.attn_qkv.weight", Dim::heads),
         fused_qkv_bias("transformer.h.{}.self_attention.query_key_value.bias",
                        "blk.{}.attn_qkv.bias", Dim::heads),
         kRest);

Status refine(const ConfigSource& source, Config&) {
    if (source.flag("apply_residual_connection_post_layernorm", "").value_or(false))
        return Error{Code::unsupported, "residual connections from after the norm"};
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 250880},
                                 {"hidden_size", 64},
                                 {"num_hidden_layers", 2},
                                 {"num_attention_heads", 8},
                                 {"max_position_embeddings", 2048},
                                 {"layer_norm_eps", 1e-5},
                                 {"tie_word_embeddings", 1}};

constexpr Family kBloom{.name = "bloom",
                        .gguf = "bloom",
                        .tensors = kTensors,
                        .block = {.norm = NormKind::layer,
                                  .act = Act::gelu_tanh,
                                  .gated = false,
                                  .position = Position::alibi},
                        .ff_factor = 4,
                        .defaults = kDefaults,
                        .refine = refine};

}  // namespace

std::span<const Family* const> bloom_families() {
    static constexpr const Family* kAll[] = {&kBloom};
    return kAll;
}

}  // namespace heft::arch
