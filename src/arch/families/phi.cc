#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 6> kFusedMatrices = {{
    {Role::attn_q,
     "model.layers.{}.self_attn.qkv_proj.weight",
     "blk.{}.attn_qkv.weight",
     Dim::q,
     Dim::model,
     false,
     Load::as_is,
     {Dim::q, Dim::kv, Dim::kv},
     0},
    {Role::attn_k,
     "model.layers.{}.self_attn.qkv_proj.weight",
     "blk.{}.attn_qkv.weight",
     Dim::kv,
     Dim::model,
     false,
     Load::as_is,
     {Dim::q, Dim::kv, Dim::kv},
     1},
    {Role::attn_v,
     "model.layers.{}.self_attn.qkv_proj.weight",
     "blk.{}.attn_qkv.weight",
     Dim::kv,
     Dim::model,
     false,
     Load::as_is,
     {Dim::q, Dim::kv, Dim::kv},
     2},
    {Role::attn_out, "model.layers.{}.self_attn.o_proj.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::q},
    // GGUF calls the pair of gate and up by the name of the second.
    {Role::ffn_gate,
     "model.layers.{}.mlp.gate_up_proj.weight",
     "blk.{}.ffn_up.weight",
     Dim::ff,
     Dim::model,
     false,
     Load::as_is,
     {Dim::ff, Dim::ff},
     0},
    {Role::ffn_up,
     "model.layers.{}.mlp.gate_up_proj.weight",
     "blk.{}.ffn_up.weight",
     Dim::ff,
     Dim::model,
     false,
     Load::as_is,
     {Dim::ff, Dim::ff},
     1},
}};

constexpr std::array<Tensor, 1> kFfnDown = {{
    {Role::ffn_down, "model.layers.{}.mlp.down_proj.weight", "blk.{}.ffn_down.weight", Dim::model,
     Dim::ff},
}};

constexpr auto kTensors = join(kEnds, kBlockNorms, kFusedMatrices, kFfnDown, kRopeFactors);

}  // namespace

constexpr Family kPhi3{
    .name = "phi3", .gguf = "phi3", .tensors = kTensors, .window = Window::every};

}  // namespace heft::arch
