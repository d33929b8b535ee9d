#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 15> kRest = {{
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

// The matrices of a block are stored [in, out]; the embeddings are not.
template <std::size_t size>
constexpr std::array<Tensor, size> blocks_transposed(std::array<Tensor, size> tensors) {
    for (Tensor& tensor : tensors)
        if (tensor.cols != Dim::none && std::string_view(tensor.gguf).starts_with("blk."))
            tensor.load = Load::transposed;
    return tensors;
}

constexpr auto kTensors = blocks_transposed(join(
    fused_qkv("transformer.h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight", Dim::one),
    fused_qkv_bias("transformer.h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias", Dim::one), kRest));

constexpr Default kDefaults[] = {{"vocab_size", 50257},
                                 {"hidden_size", 768},
                                 {"num_hidden_layers", 12},
                                 {"num_attention_heads", 12},
                                 {"max_position_embeddings", 1024},
                                 {"layer_norm_eps", 1e-5},
                                 {"tie_word_embeddings", 1}};

Status refine(const ConfigSource& source, Config& config) {
    for (const char* flag : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"})
        if (source.flag(flag, "").value_or(false))
            return Error{Code::unsupported, std::string(flag) + " is not supported"};
    if (!source.flag("scale_attn_weights", "").value_or(true)) config.attn_scale = 1;
    return {};
}

constexpr Block kBlock{
    .norm = NormKind::layer, .act = Act::gelu_tanh, .gated = false, .position = Position::learned};

constexpr Family kGpt2{.name = "gpt2",
                       .gguf = "gpt2",
                       .tensors = kTensors,
                       .block = kBlock,
                       .ff_factor = 4,
                       .defaults = kDefaults,
                       .refine = refine};

// StarCoder 1 is GPT-2 with one key/value head and matrices the usual way round.
constexpr auto kBigCodeTensors =
    join(fused_qkv("transformer.h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight", Dim::kv_heads),
         fused_qkv_bias("transformer.h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias", Dim::kv_heads),
         kRest);

Status refine_big_code(const ConfigSource& source, Config& config) {
    if (!source.is_gguf())
        config.n_kv = source.flag("multi_query", "").value_or(true) ? 1 : config.n_head;
    return refine(source, config);
}

constexpr Family kBigCode{.name = "gpt_bigcode",
                          .gguf = "starcoder",
                          .tensors = kBigCodeTensors,
                          .block = kBlock,
                          .ff_factor = 4,
                          .defaults = kDefaults,
                          .refine = refine_big_code};

}  // namespace

std::span<const Family* const> gpt2_families() {
    static constexpr const Family* kAll[] = {&kGpt2, &kBigCode};
    return kAll;
}

}  // namespace heft::arch
