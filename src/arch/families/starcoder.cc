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

// The first generation is GPT-2 with one key/value head and matrices the usual way round.
constexpr std::array<Tensor, 15> kBigCodeRest = {{
    {Role::token_embd, "transformer.wte.weight", "token_embd.weight", Dim::vocab, Dim::model},
    {Role::pos_embd, "transformer.wpe.weight", "position_embd.weight", Dim::ctx, Dim::model},
    {Role::output_norm, "transformer.ln_f.weight", "output_norm.weight", Dim::model},
    {Role::output_norm_bias, "transformer.ln_f.bias", "output_norm.bias", Dim::model},
    {Role::output, "lm_head.weight", "output.weight", Dim::vocab, Dim::model},
    {Role::attn_norm, "transformer.h.{}.ln_1.weight", "blk.{}.attn_norm.weight", Dim::model},
    {Role::attn_norm_bias, "transformer.h.{}.ln_1.bias", "blk.{}.attn_norm.bias", Dim::model},
    {Role::attn_out, "transformer.h.{}.attn.c_proj.weight", "blk.{}.attn_output.weight", Dim::model,
     Dim::value},
    {Role::attn_out_bias, "transformer.h.{}.attn.c_proj.bias", "blk.{}.attn_output.bias",
     Dim::model},
    {Role::ffn_norm, "transformer.h.{}.ln_2.weight", "blk.{}.ffn_norm.weight", Dim::model},
    {Role::ffn_norm_bias, "transformer.h.{}.ln_2.bias", "blk.{}.ffn_norm.bias", Dim::model},
    {Role::ffn_up, "transformer.h.{}.mlp.c_fc.weight", "blk.{}.ffn_up.weight", Dim::ff, Dim::model},
    {Role::ffn_up_bias, "transformer.h.{}.mlp.c_fc.bias", "blk.{}.ffn_up.bias", Dim::ff},
    {Role::ffn_down, "transformer.h.{}.mlp.c_proj.weight", "blk.{}.ffn_down.weight", Dim::model,
     Dim::ff},
    {Role::ffn_down_bias, "transformer.h.{}.mlp.c_proj.bias", "blk.{}.ffn_down.bias", Dim::model},
}};

constexpr auto kBigCodeTensors =
    join(fused_qkv("transformer.h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight", Dim::kv_heads),
         fused_qkv_bias("transformer.h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias", Dim::kv_heads),
         kBigCodeRest);

Status refine_big_code(const ConfigSource& source, Config& config) {
    if (source.flag("multi_query", "").value_or(!source.is_gguf())) config.n_kv = 1;
    return {};
}

constexpr Family kStarcoder2{
    .name = "starcoder2",
    .gguf = "starcoder2",
    .tensors = kStarcoder2Tensors,
    .block = {.norm = NormKind::layer, .act = Act::gelu_tanh, .gated = false},
    .window = Window::every,
    .tied_by_default = true};

constexpr Family kBigCode{.name = "gpt_bigcode",
                          .gguf = "starcoder",
                          .tensors = kBigCodeTensors,
                          .block = {.norm = NormKind::layer,
                                    .act = Act::gelu_tanh,
                                    .gated = false,
                                    .position = Position::learned},
                          .tied_by_default = true,
                          .ff_factor = 4,
                          .refine = refine_big_code};

}  // namespace

std::span<const Family* const> starcoder_families() {
    static constexpr const Family* kAll[] = {&kStarcoder2, &kBigCode};
    return kAll;
}

}  // namespace heft::arch
