#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 1> kOut = {{
    {Role::attn_out, "model.layers.{}.self_attn.o_proj.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
}};

constexpr auto kPhi3Tensors =
    join(kEnds, kBlockNorms,
         fused_qkv("model.layers.{}.self_attn.qkv_proj.weight", "blk.{}.attn_qkv.weight", Dim::one),
         kOut, kFusedFfn, kRopeFactors);

constexpr std::array<Tensor, 15> kPhi = {{
    {Role::token_embd, "model.embed_tokens.weight", "token_embd.weight", Dim::vocab, Dim::model},
    {Role::output_norm, "model.final_layernorm.weight", "output_norm.weight", Dim::model},
    {Role::output_norm_bias, "model.final_layernorm.bias", "output_norm.bias", Dim::model},
    {Role::output, "lm_head.weight", "output.weight", Dim::vocab, Dim::model},
    {Role::output_bias, "lm_head.bias", "output.bias", Dim::vocab},
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::attn_norm_bias, "model.layers.{}.input_layernorm.bias", "blk.{}.attn_norm.bias",
     Dim::model},
    {Role::attn_q, "model.layers.{}.self_attn.q_proj.weight", "blk.{}.attn_q.weight", Dim::q,
     Dim::model},
    {Role::attn_k, "model.layers.{}.self_attn.k_proj.weight", "blk.{}.attn_k.weight", Dim::kv,
     Dim::model},
    {Role::attn_v, "model.layers.{}.self_attn.v_proj.weight", "blk.{}.attn_v.weight", Dim::kv_value,
     Dim::model},
    {Role::attn_out, "model.layers.{}.self_attn.dense.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
    {Role::attn_out_bias, "model.layers.{}.self_attn.dense.bias", "blk.{}.attn_output.bias",
     Dim::model},
    {Role::ffn_up, "model.layers.{}.mlp.fc1.weight", "blk.{}.ffn_up.weight", Dim::ff, Dim::model},
    {Role::ffn_up_bias, "model.layers.{}.mlp.fc1.bias", "blk.{}.ffn_up.bias", Dim::ff},
    {Role::ffn_down, "model.layers.{}.mlp.fc2.weight", "blk.{}.ffn_down.weight", Dim::model,
     Dim::ff},
}};

constexpr std::array<Tensor, 1> kDownBias = {{
    {Role::ffn_down_bias, "model.layers.{}.mlp.fc2.bias", "blk.{}.ffn_down.bias", Dim::model},
}};

// Older GGUF files hold q, k and v as one.
constexpr auto kPhiTensors =
    join(kPhi, kDownBias, kQkvBias<false>, fused_qkv(nullptr, "blk.{}.attn_qkv.weight", Dim::one),
         fused_qkv_bias(nullptr, "blk.{}.attn_qkv.bias", Dim::one));

constexpr Default kPhi3Defaults[] = {
    {"vocab_size", 32064},       {"hidden_size", 3072},
    {"intermediate_size", 8192}, {"num_hidden_layers", 32},
    {"num_attention_heads", 32}, {"max_position_embeddings", 4096},
    {"rms_norm_eps", 1e-5},      {"original_max_position_embeddings", 4096}};

constexpr Default kPhiDefaults[] = {{"vocab_size", 51200},       {"hidden_size", 2048},
                                    {"intermediate_size", 8192}, {"num_hidden_layers", 24},
                                    {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
                                    {"layer_norm_eps", 1e-5},    {"partial_rotary_factor", 0.5}};

constexpr Family kPhi3{.name = "phi3",
                       .gguf = "phi3",
                       .tensors = kPhi3Tensors,
                       .window = Window::every,
                       .defaults = kPhi3Defaults};

constexpr Family kPhi2{.name = "phi",
                       .gguf = "phi2",
                       .tensors = kPhiTensors,
                       .block = {.norm = NormKind::layer,
                                 .act = Act::gelu_tanh,
                                 .gated = false,
                                 .residual = Residual::parallel},
                       .defaults = kPhiDefaults};

}  // namespace

std::span<const Family* const> phi_families() {
    static constexpr const Family* kAll[] = {&kPhi3, &kPhi2};
    return kAll;
}

}  // namespace heft::arch
