#include <cmath>

#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kQkv = fused_qkv("transformer.h.{}.self_attention.query_key_value.weight",
                                "blk.{}.attn_qkv.weight", Dim::kv_heads);
constexpr auto kQkvBiases = fused_qkv_bias("transformer.h.{}.self_attention.query_key_value.bias",
                                           "blk.{}.attn_qkv.bias", Dim::kv_heads, true);

// With one norm for both branches it is input_layernorm; with two, ln_attn and ln_mlp, of which
// GGUF calls the second attn_norm. Of the rows of a role, the first that a file has counts.
constexpr std::array<Tensor, 19> kRest = {{
    {Role::token_embd, "transformer.word_embeddings.weight", "token_embd.weight", Dim::vocab,
     Dim::model},
    {Role::output_norm, "transformer.ln_f.weight", "output_norm.weight", Dim::model},
    {Role::output_norm_bias, "transformer.ln_f.bias", "output_norm.bias", Dim::model},
    {Role::output, "lm_head.weight", "output.weight", Dim::vocab, Dim::model},
    {Role::attn_norm, "transformer.h.{}.ln_attn.weight", "blk.{}.attn_norm_2.weight", Dim::model},
    {Role::attn_norm_bias, "transformer.h.{}.ln_attn.bias", "blk.{}.attn_norm_2.bias", Dim::model},
    {Role::attn_norm, "transformer.h.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::attn_norm_bias, "transformer.h.{}.input_layernorm.bias", "blk.{}.attn_norm.bias",
     Dim::model},
    {Role::ffn_norm, "transformer.h.{}.post_attention_layernorm.weight", "blk.{}.ffn_norm.weight",
     Dim::model, Dim::none, true},
    {Role::ffn_norm_bias, "transformer.h.{}.post_attention_layernorm.bias", "blk.{}.ffn_norm.bias",
     Dim::model, Dim::none, true},
    {Role::ffn_norm, "transformer.h.{}.ln_mlp.weight", "blk.{}.attn_norm.weight", Dim::model,
     Dim::none, true},
    {Role::ffn_norm_bias, "transformer.h.{}.ln_mlp.bias", "blk.{}.attn_norm.bias", Dim::model,
     Dim::none, true},
    {Role::attn_out, "transformer.h.{}.self_attention.dense.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
    {Role::attn_out_bias, "transformer.h.{}.self_attention.dense.bias", "blk.{}.attn_output.bias",
     Dim::model, Dim::none, true},
    {Role::ffn_up, "transformer.h.{}.mlp.dense_h_to_4h.weight", "blk.{}.ffn_up.weight", Dim::ff,
     Dim::model},
    {Role::ffn_up_bias, "transformer.h.{}.mlp.dense_h_to_4h.bias", "blk.{}.ffn_up.bias", Dim::ff,
     Dim::none, true},
    {Role::ffn_down, "transformer.h.{}.mlp.dense_4h_to_h.weight", "blk.{}.ffn_down.weight",
     Dim::model, Dim::ff},
    {Role::ffn_down_bias, "transformer.h.{}.mlp.dense_4h_to_h.bias", "blk.{}.ffn_down.bias",
     Dim::model, Dim::none, true},
    {Role::rope_divisors, nullptr, "rope_freqs.weight", Dim::rope_pairs, Dim::none, true},
}};

constexpr auto kTensors = join(kQkv, kQkvBiases, kRest);

Status refine(const ConfigSource& source, Config& config) {
    Block& block = config.block;
    if (source.is_gguf()) {
        // Files of the variant with biases or ALiBi are heft's own.
        if (!source.flag("", "use_parallel_residual").value_or(true))
            block.residual = Residual::sequential;
        if (source.flag("", "attention.alibi").value_or(false)) block.position = Position::alibi;
    } else {
        const bool grouped = source.flag("new_decoder_architecture", "").value_or(false);
        const bool one = source.flag("multi_query", "").value_or(true);
        if (!grouped) config.n_kv = one ? 1 : config.n_head;
        if (!grouped && !source.flag("parallel_attn", "").value_or(true))
            block.residual = Residual::sequential;
        if (source.flag("alibi", "").value_or(false)) block.position = Position::alibi;
        if (source.flag("apply_residual_connection_post_layernorm", "").value_or(false))
            return Error{Code::unsupported, "residual connections from after the norm"};
    }
    // Here the slopes are scaled together with the products.
    config.alibi_scale = config.attn_scale;
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 65024},
                                 {"hidden_size", 4544},
                                 {"num_hidden_layers", 32},
                                 {"num_attention_heads", 71},
                                 {"max_position_embeddings", 2048},
                                 {"layer_norm_eps", 1e-5},
                                 {"tie_word_embeddings", 1}};

constexpr Family kFalcon{.name = "falcon",
                         .gguf = "falcon",
                         .tensors = kTensors,
                         .block = {.norm = NormKind::layer,
                                   .act = Act::gelu_erf,
                                   .gated = false,
                                   .residual = Residual::parallel},
                         .ff_factor = 4,
                         .defaults = kDefaults,
                         .refine = refine};

}  // namespace

std::span<const Family* const> falcon_families() {
    static constexpr const Family* kAll[] = {&kFalcon};
    return kAll;
}

}  // namespace heft::arch
