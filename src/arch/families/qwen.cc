#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kQwen2Attention = join(kEnds, kBlockNorms, kAttention, kQkvBias<false>);
constexpr auto kQwen3Attention =
    join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kQkNorm<Dim::head, Dim::head>);
constexpr auto kFfn = join(in_layers(On::dense, kGatedFfn), kExperts);

constexpr std::array<Tensor, 4> kSharedExpert = {{
    sparse(Role::shared_gate, "model.layers.{}.mlp.shared_expert.gate_proj.weight",
           "blk.{}.ffn_gate_shexp.weight", Dim::shared_ff, Dim::model),
    sparse(Role::shared_up, "model.layers.{}.mlp.shared_expert.up_proj.weight",
           "blk.{}.ffn_up_shexp.weight", Dim::shared_ff, Dim::model),
    sparse(Role::shared_down, "model.layers.{}.mlp.shared_expert.down_proj.weight",
           "blk.{}.ffn_down_shexp.weight", Dim::model, Dim::shared_ff),
    sparse(Role::shared_router, "model.layers.{}.mlp.shared_expert_gate.weight",
           "blk.{}.ffn_gate_inp_shexp.weight", Dim::one, Dim::model),
}};

constexpr auto kQwen2Tensors = join(kQwen2Attention, kGatedFfn);
constexpr auto kQwen2MoeTensors = join(kQwen2Attention, kFfn, kSharedExpert);
constexpr auto kQwen3Tensors = join(kQwen3Attention, kGatedFfn);
constexpr auto kQwen3MoeTensors = join(kQwen3Attention, kFfn);

// Files made before GGUF had a key for it are of models that normalise.
Status normalise_in_gguf(const ConfigSource& source, Config& config) {
    if (source.is_gguf())
        config.experts.normalise = source.flag("", "expert_weights_norm").value_or(true);
    return {};
}

constexpr Family kQwen2{
    .name = "qwen2", .gguf = "qwen2", .tensors = kQwen2Tensors, .window = Window::upper_layers};

constexpr Family kQwen2Moe{.name = "qwen2_moe",
                           .gguf = "qwen2moe",
                           .tensors = kQwen2MoeTensors,
                           .window = Window::upper_layers};

constexpr Family kQwen3{.name = "qwen3",
                        .gguf = "qwen3",
                        .tensors = kQwen3Tensors,
                        .block = {.qk_norm = QkNorm::head},
                        .window = Window::upper_layers};

// With layers for multi-token prediction, which are left out.
constexpr Family kMimo{
    .name = "mimo", .gguf = "qwen2", .tensors = kQwen2Tensors, .window = Window::upper_layers};

// The text model of Qwen3-VL: without pictures its three-part positions are all the same.
constexpr Family kQwen3VlText{.name = "qwen3_vl_text",
                              .gguf = "qwen3vl",
                              .tensors = kQwen3Tensors,
                              .block = {.qk_norm = QkNorm::head}};

constexpr Family kQwen3Moe{.name = "qwen3_moe",
                           .gguf = "qwen3moe",
                           .tensors = kQwen3MoeTensors,
                           .block = {.qk_norm = QkNorm::head},
                           .window = Window::upper_layers,
                           .refine = normalise_in_gguf};

}  // namespace

std::span<const Family* const> qwen_families() {
    static constexpr const Family* kAll[] = {&kQwen2,    &kQwen2Moe, &kQwen3,
                                             &kQwen3Moe, &kMimo,     &kQwen3VlText};
    return kAll;
}

}  // namespace heft::arch
