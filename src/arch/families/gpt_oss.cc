#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 1> kSinks = {{
    {Role::attn_sinks, "model.layers.{}.self_attn.sinks", "blk.{}.attn_sinks.weight", Dim::heads},
}};

// GGUF names the second norm by its place after attention.
constexpr std::array<Tensor, 2> kNorms = {{
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::ffn_norm, "model.layers.{}.post_attention_layernorm.weight",
     "blk.{}.post_attention_norm.weight", Dim::model},
}};

// Rows of gate and up alternate. As published they are MXFP4 blocks; files saved in a plain type
// have [expert, in, out].
constexpr Tensor gate_or_up(Role role, int part, bool packed) {
    const bool gate = role == Role::expert_gate;
    Tensor tensor = expert(role,
                           packed ? "model.layers.{}.mlp.experts.gate_up_proj_blocks"
                                  : "model.layers.{}.mlp.experts.gate_up_proj",
                           gate ? "blk.{}.ffn_gate_exps.weight" : "blk.{}.ffn_up_exps.weight",
                           Dim::expert_ff, Dim::model);
    tensor.fused = {{Dim::expert_ff, Dim::expert_ff}, part, Dim::expert_ff};
    tensor.load = packed ? Load::as_is : Load::transposed;
    return tensor;
}

constexpr Tensor gate_or_up_bias(Role role, const char* gguf, int part) {
    Tensor tensor = expert(role, "model.layers.{}.mlp.experts.gate_up_proj_bias", gguf,
                           Dim::expert_ff, Dim::none);
    tensor.fused = {{Dim::expert_ff, Dim::expert_ff}, part, Dim::expert_ff};
    return tensor;
}

constexpr Tensor down(bool packed) {
    Tensor tensor = expert(Role::expert_down,
                           packed ? "model.layers.{}.mlp.experts.down_proj_blocks"
                                  : "model.layers.{}.mlp.experts.down_proj",
                           "blk.{}.ffn_down_exps.weight", Dim::model, Dim::expert_ff);
    tensor.load = packed ? Load::as_is : Load::transposed;
    return tensor;
}

constexpr std::array<Tensor, 11> kMixture = {{
    sparse(Role::router, "model.layers.{}.mlp.router.weight", "blk.{}.ffn_gate_inp.weight",
           Dim::experts, Dim::model),
    sparse(Role::router_bias, "model.layers.{}.mlp.router.bias", "blk.{}.ffn_gate_inp.bias",
           Dim::experts),
    gate_or_up(Role::expert_gate, 0, true),
    gate_or_up(Role::expert_gate, 0, false),
    gate_or_up(Role::expert_up, 1, true),
    gate_or_up(Role::expert_up, 1, false),
    gate_or_up_bias(Role::expert_gate_bias, "blk.{}.ffn_gate_exps.bias", 0),
    gate_or_up_bias(Role::expert_up_bias, "blk.{}.ffn_up_exps.bias", 1),
    down(true),
    down(false),
    expert(Role::expert_down_bias, "model.layers.{}.mlp.experts.down_proj_bias",
           "blk.{}.ffn_down_exps.bias", Dim::model, Dim::none),
}};

constexpr auto kTensors =
    join(kEnds, kNorms, kAttention, kQkvBias<false>, kOutBias, kSinks, kMixture);

Status refine(const ConfigSource& source, Config& config) {
    config.attn_sinks = true;
    config.experts.score = Score::softmax_chosen;
    if (config.act_limit == 0) config.act_limit = 7;
    // GGUF has no key for the bounds of the ramp: they are not rounded.
    if (source.is_gguf()) config.rope.whole_bounds = false;
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 201088},
                                 {"hidden_size", 2880},
                                 {"intermediate_size", 2880},
                                 {"num_hidden_layers", 36},
                                 {"num_attention_heads", 64},
                                 {"num_key_value_heads", 8},
                                 {"head_dim", 64},
                                 {"max_position_embeddings", 131072},
                                 {"rms_norm_eps", 1e-5},
                                 {"rope_theta", 150000},
                                 {"sliding_window", 128},
                                 {"num_local_experts", 128},
                                 {"num_experts_per_tok", 4},
                                 {"swiglu_limit", 7}};

constexpr Family kGptOss{.name = "gpt_oss",
                         .gguf = "gpt-oss",
                         .tensors = kTensors,
                         .block = {.act = Act::swiglu_clamped},
                         .window = Window::periodic,
                         .window_period = 2,
                         .defaults = kDefaults,
                         .refine = refine};

}  // namespace

std::span<const Family* const> gpt_oss_families() {
    static constexpr const Family* kAll[] = {&kGptOss};
    return kAll;
}

}  // namespace heft::arch
