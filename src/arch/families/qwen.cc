#include <algorithm>

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

constexpr Default kQwen2Defaults[] = {{"vocab_size", 151936},
                                      {"hidden_size", 4096},
                                      {"intermediate_size", 22016},
                                      {"num_hidden_layers", 32},
                                      {"num_attention_heads", 32},
                                      {"num_key_value_heads", 32},
                                      {"max_position_embeddings", 32768},
                                      {"rms_norm_eps", 1e-6},
                                      {"sliding_window", 4096},
                                      {"max_window_layers", 28}};

constexpr Default kQwen2MoeDefaults[] = {{"vocab_size", 151936},
                                         {"hidden_size", 2048},
                                         {"intermediate_size", 5632},
                                         {"num_hidden_layers", 24},
                                         {"num_attention_heads", 16},
                                         {"num_key_value_heads", 16},
                                         {"max_position_embeddings", 32768},
                                         {"rms_norm_eps", 1e-6},
                                         {"sliding_window", 4096},
                                         {"max_window_layers", 28},
                                         {"num_experts", 60},
                                         {"num_experts_per_tok", 4},
                                         {"moe_intermediate_size", 1408},
                                         {"shared_expert_intermediate_size", 5632}};

constexpr Default kQwen3Defaults[] = {{"vocab_size", 151936},
                                      {"hidden_size", 4096},
                                      {"intermediate_size", 22016},
                                      {"num_hidden_layers", 32},
                                      {"num_attention_heads", 32},
                                      {"num_key_value_heads", 32},
                                      {"max_position_embeddings", 32768},
                                      {"rms_norm_eps", 1e-6},
                                      {"sliding_window", 4096},
                                      {"max_window_layers", 28},
                                      {"head_dim", 128}};

constexpr Default kQwen3MoeDefaults[] = {{"vocab_size", 151936},
                                         {"hidden_size", 2048},
                                         {"intermediate_size", 6144},
                                         {"num_hidden_layers", 24},
                                         {"num_attention_heads", 32},
                                         {"num_key_value_heads", 4},
                                         {"max_position_embeddings", 32768},
                                         {"rms_norm_eps", 1e-6},
                                         {"sliding_window", 4096},
                                         {"num_experts", 128},
                                         {"num_experts_per_tok", 8},
                                         {"moe_intermediate_size", 768}};

constexpr Default kQwen3VlTextDefaults[] = {{"vocab_size", 151936},
                                            {"hidden_size", 4096},
                                            {"intermediate_size", 22016},
                                            {"num_hidden_layers", 32},
                                            {"num_attention_heads", 32},
                                            {"num_key_value_heads", 32},
                                            {"head_dim", 128},
                                            {"max_position_embeddings", 128000},
                                            {"rms_norm_eps", 1e-6},
                                            {"rope_theta", 500000}};

constexpr Family kQwen2{.name = "qwen2",
                        .gguf = "qwen2",
                        .tensors = kQwen2Tensors,
                        .window = Window::upper_layers,
                        .defaults = kQwen2Defaults};

// GGUF files made before there were keys for the widths of experts: those in use share the width of
// the feed-forward block, and the expert that all tokens use has the whole of it.
Status usual_widths_in_gguf(const ConfigSource& source, Config& config) {
    Experts& experts = config.experts;
    if (!source.is_gguf() || experts.n == 0) return {};
    if (!source.in_gguf("expert_feed_forward_length"))
        experts.d_ff = std::max(1, config.d_ff / experts.n_used);
    const std::string shared = "blk." + std::to_string(config.n_layer - 1) + ".ffn_up_shexp.weight";
    if (!source.in_gguf("expert_shared_feed_forward_length")
        && source.checkpoint().find(shared) != nullptr)
        experts.d_shared = config.d_ff;
    return {};
}

constexpr Family kQwen2Moe{.name = "qwen2_moe",
                           .gguf = "qwen2moe",
                           .tensors = kQwen2MoeTensors,
                           .window = Window::upper_layers,
                           .defaults = kQwen2MoeDefaults,
                           .refine = usual_widths_in_gguf};

constexpr Family kQwen3{.name = "qwen3",
                        .gguf = "qwen3",
                        .tensors = kQwen3Tensors,
                        .block = {.qk_norm = QkNorm::head},
                        .window = Window::upper_layers,
                        .defaults = kQwen3Defaults};

// With layers for multi-token prediction, which are left out.
constexpr Family kMimo{.name = "mimo",
                       .gguf = "qwen2",
                       .tensors = kQwen2Tensors,
                       .window = Window::upper_layers,
                       .defaults = kQwen2Defaults};

// The text model of Qwen3-VL: without pictures its three-part positions are all the same.
constexpr Family kQwen3VlText{.name = "qwen3_vl_text",
                              .gguf = "qwen3vl",
                              .tensors = kQwen3Tensors,
                              .block = {.qk_norm = QkNorm::head},
                              .defaults = kQwen3VlTextDefaults};

constexpr Family kQwen3Moe{.name = "qwen3_moe",
                           .gguf = "qwen3moe",
                           .tensors = kQwen3MoeTensors,
                           .block = {.qk_norm = QkNorm::head},
                           .window = Window::upper_layers,
                           .defaults = kQwen3MoeDefaults,
                           .refine = normalise_in_gguf};

}  // namespace

std::span<const Family* const> qwen_families() {
    static constexpr const Family* kAll[] = {&kQwen2,    &kQwen2Moe, &kQwen3,
                                             &kQwen3Moe, &kMimo,     &kQwen3VlText};
    return kAll;
}

}  // namespace heft::arch
