#include "arch/families/tables.h"

namespace heft::arch {

namespace {

// q, k and v come by key/value head in one matrix; GGUF holds them apart.
constexpr Tensor part(Role role, const char* gguf, Dim rows, int index, bool bias) {
    Tensor tensor{.role = role,
                  .hf = bias ? "model.layers.{}.attention.wqkv.bias"
                             : "model.layers.{}.attention.wqkv.weight",
                  .gguf = gguf,
                  .rows = rows,
                  .cols = bias ? Dim::none : Dim::model,
                  .optional = bias};
    tensor.fused = {{Dim::q, Dim::kv, Dim::kv_value}, index, Dim::kv_heads};
    return tensor;
}

constexpr std::array<Tensor, 16> kTensors = {{
    {Role::token_embd, "model.tok_embeddings.weight", "token_embd.weight", Dim::vocab, Dim::model},
    {Role::output_norm, "model.norm.weight", "output_norm.weight", Dim::model},
    {Role::output, "output.weight", "output.weight", Dim::vocab, Dim::model},
    {Role::attn_norm, "model.layers.{}.attention_norm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    part(Role::attn_q, "blk.{}.attn_q.weight", Dim::q, 0, false),
    part(Role::attn_k, "blk.{}.attn_k.weight", Dim::kv, 1, false),
    part(Role::attn_v, "blk.{}.attn_v.weight", Dim::kv_value, 2, false),
    part(Role::attn_q_bias, "blk.{}.attn_q.bias", Dim::q, 0, true),
    part(Role::attn_k_bias, "blk.{}.attn_k.bias", Dim::kv, 1, true),
    part(Role::attn_v_bias, "blk.{}.attn_v.bias", Dim::kv_value, 2, true),
    {Role::attn_out, "model.layers.{}.attention.wo.weight", "blk.{}.attn_output.weight", Dim::model,
     Dim::value},
    {Role::attn_out_bias, "model.layers.{}.attention.wo.bias", "blk.{}.attn_output.bias",
     Dim::model, Dim::none, true},
    {Role::ffn_norm, "model.layers.{}.ffn_norm.weight", "blk.{}.ffn_norm.weight", Dim::model},
    {Role::ffn_gate, "model.layers.{}.feed_forward.w1.weight", "blk.{}.ffn_gate.weight", Dim::ff,
     Dim::model},
    {Role::ffn_up, "model.layers.{}.feed_forward.w3.weight", "blk.{}.ffn_up.weight", Dim::ff,
     Dim::model},
    {Role::ffn_down, "model.layers.{}.feed_forward.w2.weight", "blk.{}.ffn_down.weight", Dim::model,
     Dim::ff},
}};

constexpr Default kDefaults[] = {{"vocab_size", 103168},       {"hidden_size", 4096},
                                 {"intermediate_size", 11008}, {"num_hidden_layers", 32},
                                 {"num_attention_heads", 32},  {"max_position_embeddings", 2048},
                                 {"rms_norm_eps", 1e-6}};

constexpr Family kInternLm2{.name = "internlm2",
                            .gguf = "internlm2",
                            .tensors = kTensors,
                            .gguf_interleaves_qk = true,
                            .defaults = kDefaults};

}  // namespace

std::span<const Family* const> internlm2_families() {
    static constexpr const Family* kAll[] = {&kInternLm2};
    return kAll;
}

}  // namespace heft::arch
