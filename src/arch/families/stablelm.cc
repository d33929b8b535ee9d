#include "arch/families/tables.h"

namespace heft::arch {

namespace {

// The largest has one norm for both branches.
constexpr std::array<Tensor, 6> kNorms = {{
    {Role::output_norm_bias, "model.norm.bias", "output_norm.bias", Dim::model},
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::attn_norm_bias, "model.layers.{}.input_layernorm.bias", "blk.{}.attn_norm.bias",
     Dim::model},
    {Role::ffn_norm, "model.layers.{}.post_attention_layernorm.weight", "blk.{}.ffn_norm.weight",
     Dim::model, Dim::none, true},
    {Role::ffn_norm_bias, "model.layers.{}.post_attention_layernorm.bias", "blk.{}.ffn_norm.bias",
     Dim::model, Dim::none, true},
    {Role::attn_out_bias, "model.layers.{}.self_attn.o_proj.bias", "blk.{}.attn_output.bias",
     Dim::model, Dim::none, true},
}};

constexpr auto kTensors = join(kEnds, kNorms, kAttention, kQkvBias<true>, kGatedFfn);

Status refine(const ConfigSource& source, Config& config) {
    // GGUF files say that they are parallel where the original says nothing; the norm between the
    // branches tells.
    const bool parallel = source.is_gguf()
                              ? source.checkpoint().find("blk.0.ffn_norm.weight") == nullptr
                              : source.flag("use_parallel_residual", "").value_or(false);
    if (parallel) config.block.residual = Residual::parallel;
    if (source.flag("qk_layernorm", "").value_or(false))
        return Error{Code::unsupported, "query and key norms with weights of each head's own"};
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 50304},
                                 {"hidden_size", 2560},
                                 {"intermediate_size", 6912},
                                 {"num_hidden_layers", 32},
                                 {"num_attention_heads", 32},
                                 {"num_key_value_heads", 32},
                                 {"max_position_embeddings", 4096},
                                 {"layer_norm_eps", 1e-5},
                                 {"partial_rotary_factor", 0.25}};

constexpr Family kStableLm{.name = "stablelm",
                           .gguf = "stablelm",
                           .tensors = kTensors,
                           .block = {.norm = NormKind::layer},
                           .defaults = kDefaults,
                           .refine = refine};

}  // namespace

std::span<const Family* const> stablelm_families() {
    static constexpr const Family* kAll[] = {&kStableLm};
    return kAll;
}

}  // namespace heft::arch
