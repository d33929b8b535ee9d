#include "arch/families/tables.h"

namespace heft::arch {

namespace {

// Gate and up of all experts in one tensor.
constexpr Tensor gate_or_up(Role role, const char* gguf, int part) {
    Tensor tensor = expert(role, "model.layers.{}.block_sparse_moe.input_linear.weight", gguf,
                           Dim::expert_ff, Dim::model);
    tensor.fused = {{Dim::expert_ff, Dim::expert_ff}, part};
    return tensor;
}

constexpr std::array<Tensor, 4> kMixture = {{
    sparse(Role::router, "model.layers.{}.block_sparse_moe.router.layer.weight",
           "blk.{}.ffn_gate_inp.weight", Dim::experts, Dim::model),
    gate_or_up(Role::expert_gate, "blk.{}.ffn_gate_exps.weight", 0),
    gate_or_up(Role::expert_up, "blk.{}.ffn_up_exps.weight", 1),
    expert(Role::expert_down, "model.layers.{}.block_sparse_moe.output_linear.weight",
           "blk.{}.ffn_down_exps.weight", Dim::model, Dim::expert_ff),
}};

// An expert that all tokens use, in the later models.
constexpr Tensor shared_gate_or_up(Role role, const char* gguf, int part) {
    Tensor tensor = sparse(role, "model.layers.{}.shared_mlp.input_linear.weight", gguf,
                           Dim::shared_ff, Dim::model, true);
    tensor.fused = {{Dim::shared_ff, Dim::shared_ff}, part};
    return tensor;
}

constexpr std::array<Tensor, 3> kSharedExpert = {{
    shared_gate_or_up(Role::shared_gate, "blk.{}.ffn_gate_shexp.weight", 0),
    shared_gate_or_up(Role::shared_up, "blk.{}.ffn_up_shexp.weight", 1),
    sparse(Role::shared_down, "model.layers.{}.shared_mlp.output_linear.weight",
           "blk.{}.ffn_down_shexp.weight", Dim::model, Dim::shared_ff, true),
}};

constexpr auto kAttentionPart = join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias);
constexpr auto kDenseTensors = join(kAttentionPart, kGatedFfn, kGatedFfnBias, kRopeDivisors);
constexpr auto kMoeTensors = join(kAttentionPart, kMixture, kSharedExpert, kRopeDivisors);

Status refine(const ConfigSource& source, Config& config) {
    const auto number = [&](const char* key, double usual) {
        return static_cast<float>(source.number(key, "").value_or(usual));
    };
    config.experts.score = Score::softmax_chosen;
    if (source.is_gguf()) {
        // So the files of this family say that no layer rotates.
        if (!source.flag("", "rope.scaling.finetuned").value_or(true))
            config.rotates.assign(static_cast<std::size_t>(config.n_layer), false);
        return {};
    }
    config.embedding_scale = number("embedding_multiplier", 1);
    config.attn_scale = number("attention_multiplier", 1);
    config.residual_scale = number("residual_multiplier", 1);
    const float divisor = number("logits_scaling", 1);
    if (!(divisor > 0 && config.attn_scale > 0))
        return Error{Code::corrupt, "logits_scaling or attention_multiplier is not positive"};
    config.logit_scale = 1 / divisor;
    return {};
}

constexpr Default kDenseDefaults[] = {
    {"vocab_size", 32000},     {"hidden_size", 4096},       {"intermediate_size", 11008},
    {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
    {"rms_norm_eps", 1e-6}};

constexpr Default kMoeDefaults[] = {
    {"vocab_size", 32000},     {"hidden_size", 4096},       {"intermediate_size", 11008},
    {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
    {"rms_norm_eps", 1e-6},    {"num_local_experts", 8},    {"num_experts_per_tok", 2}};

constexpr Family kGranite{.name = "granite",
                          .gguf = "granite",
                          .tensors = kDenseTensors,
                          .gguf_interleaves_qk = true,
                          .gguf_divides_logits = true,
                          .gguf_wants_scales = true,
                          .defaults = kDenseDefaults,
                          .refine = refine};

constexpr Family kGraniteMoe{.name = "granitemoe",
                             .gguf = "granitemoe",
                             .tensors = kMoeTensors,
                             .gguf_interleaves_qk = true,
                             .gguf_divides_logits = true,
                             .gguf_wants_scales = true,
                             .defaults = kMoeDefaults,
                             .refine = refine};

constexpr Family with_shared_expert(Family family) {
    family.name = "granitemoeshared";
    return family;
}
constexpr Family kGraniteMoeShared = with_shared_expert(kGraniteMoe);

}  // namespace

std::span<const Family* const> granite_families() {
    static constexpr const Family* kAll[] = {&kGranite, &kGraniteMoe, &kGraniteMoeShared};
    return kAll;
}

}  // namespace heft::arch
