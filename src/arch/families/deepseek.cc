#include <cmath>

#include "arch/families/tables.h"

namespace heft::arch {

namespace {

// DeepSeek-V2 (2405.04434) section 2.1.
constexpr std::array<Tensor, 11> kLatentAttention = {{
    // Without a rank for the queries:
    {Role::attn_q, "model.layers.{}.self_attn.q_proj.weight", "blk.{}.attn_q.weight", Dim::q,
     Dim::model, true},
    {Role::latent_q_a, "model.layers.{}.self_attn.q_a_proj.weight", "blk.{}.attn_q_a.weight",
     Dim::latent_q, Dim::model, true},
    {Role::latent_q_norm, "model.layers.{}.self_attn.q_a_layernorm.weight",
     "blk.{}.attn_q_a_norm.weight", Dim::latent_q, Dim::none, true},
    {Role::latent_q_b, "model.layers.{}.self_attn.q_b_proj.weight", "blk.{}.attn_q_b.weight",
     Dim::q, Dim::latent_q, true},
    {Role::latent_kv_a, "model.layers.{}.self_attn.kv_a_proj_with_mqa.weight",
     "blk.{}.attn_kv_a_mqa.weight", Dim::latent_kv_a, Dim::model},
    {Role::latent_kv_norm, "model.layers.{}.self_attn.kv_a_layernorm.weight",
     "blk.{}.attn_kv_a_norm.weight", Dim::latent_kv},
    {.role = Role::latent_k_b,
     .hf = "model.layers.{}.self_attn.kv_b_proj.weight",
     .gguf = "blk.{}.attn_kv_b.weight",
     .rows = Dim::latent_nope,
     .cols = Dim::latent_kv,
     .optional = true,
     .fused = {{Dim::latent_nope, Dim::value}, 0, Dim::heads},
     .gguf_fused = {{Dim::latent_nope, Dim::value}, 0, Dim::heads}},
    {.role = Role::latent_v_b,
     .hf = "model.layers.{}.self_attn.kv_b_proj.weight",
     .gguf = "blk.{}.attn_kv_b.weight",
     .rows = Dim::value,
     .cols = Dim::latent_kv,
     .optional = true,
     .fused = {{Dim::latent_nope, Dim::value}, 1, Dim::heads},
     .gguf_fused = {{Dim::latent_nope, Dim::value}, 1, Dim::heads}},
    {Role::attn_out, "model.layers.{}.self_attn.o_proj.weight", "blk.{}.attn_output.weight",
     Dim::model, Dim::value},
    // Newer GGUF files hold the two apart, one matrix per head.
    {.role = Role::latent_k_b_turned,
     .hf = nullptr,
     .gguf = "blk.{}.attn_k_b.weight",
     .rows = Dim::latent_turned,
     .cols = Dim::latent_head,
     .optional = true,
     .split = Dim::heads},
    {.role = Role::latent_v_b,
     .hf = nullptr,
     .gguf = "blk.{}.attn_v_b.weight",
     .rows = Dim::value,
     .cols = Dim::latent_kv,
     .optional = true,
     .split = Dim::heads},
}};

constexpr std::array<Tensor, 4> kSharedExperts = {{
    sparse(Role::shared_gate, "model.layers.{}.mlp.shared_experts.gate_proj.weight",
           "blk.{}.ffn_gate_shexp.weight", Dim::shared_ff, Dim::model),
    sparse(Role::shared_up, "model.layers.{}.mlp.shared_experts.up_proj.weight",
           "blk.{}.ffn_up_shexp.weight", Dim::shared_ff, Dim::model),
    sparse(Role::shared_down, "model.layers.{}.mlp.shared_experts.down_proj.weight",
           "blk.{}.ffn_down_shexp.weight", Dim::model, Dim::shared_ff),
    sparse(Role::router_choice_bias, "model.layers.{}.mlp.gate.e_score_correction_bias",
           "blk.{}.exp_probs_b.bias", Dim::experts, Dim::none, true),
}};

constexpr auto kTensors = join(kEnds, kBlockNorms, kLatentAttention,
                               in_layers(On::dense, kGatedFfn), kExperts, kSharedExperts);

// Stretching the context sharpens the scores.
void sharpen(Config& config) {
    const Rope& rope = config.rope;
    if (rope.scaling != Scaling::yarn || rope.factor <= 1) return;
    const double mscale = 0.1 * rope.mscale_all * std::log(rope.factor) + 1;
    config.attn_scale *= static_cast<float>(mscale * mscale);
}

Status refine_v2(const ConfigSource& source, Config& config) {
    sharpen(config);
    // Without groups the configs name a greedy choice, or no way at all, and keep n_group at one.
    const auto method = source.string("topk_method", "");
    if (method ? *method == "greedy" : !source.is_gguf())
        config.experts.n_group = config.experts.n_group_used = 1;
    return {};
}

// Chosen by the corrected scores of the two best of each group.
Status refine_v3(const ConfigSource& source, Config& config) {
    sharpen(config);
    if (!source.is_gguf()) {
        // The class of the Hugging Face library knows no other scores, and names none.
        if (!source.string("scoring_func", "")) config.experts.score = Score::sigmoid;
        if (!source.flag("rope_interleave", "").value_or(true))
            return Error{Code::unsupported, "rope_interleave = false is not supported"};
    }
    const auto bias =
        source.checkpoint().find("blk." + std::to_string(config.n_layer - 1) + ".exp_probs_b.bias");
    if (!source.is_gguf() || bias != nullptr) config.experts.group_rank = GroupRank::best_two;
    return {};
}

constexpr Default kV3Defaults[] = {{"vocab_size", 129280},
                                   {"hidden_size", 7168},
                                   {"intermediate_size", 18432},
                                   {"num_hidden_layers", 61},
                                   {"num_attention_heads", 128},
                                   {"max_position_embeddings", 4096},
                                   {"rms_norm_eps", 1e-6},
                                   {"kv_lora_rank", 512},
                                   {"q_lora_rank", 1536},
                                   {"qk_rope_head_dim", 64},
                                   {"qk_nope_head_dim", 128},
                                   {"v_head_dim", 128},
                                   {"n_routed_experts", 256},
                                   {"n_shared_experts", 1},
                                   {"num_experts_per_tok", 8},
                                   {"moe_intermediate_size", 2048},
                                   {"first_k_dense_replace", 3},
                                   {"n_group", 8},
                                   {"topk_group", 4},
                                   {"norm_topk_prob", 1},
                                   {"routed_scaling_factor", 2.5}};

constexpr Default kV2Defaults[] = {
    {"vocab_size", 32000},     {"hidden_size", 4096},       {"intermediate_size", 11008},
    {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
    {"rms_norm_eps", 1e-6},    {"kv_lora_rank", 512},       {"q_lora_rank", 1536},
    {"qk_rope_head_dim", 64},  {"qk_nope_head_dim", 128},   {"v_head_dim", 128},
    {"n_routed_experts", 64},  {"n_shared_experts", 2},     {"moe_intermediate_size", 1407}};

constexpr Default kKimiDefaults[] = {{"rms_norm_eps", 1e-6}};

constexpr Block kBlock{.pairs = Pairs::neighbour};

constexpr Family kDeepseekV3{.name = "deepseek_v3",
                             .gguf = "deepseek2",
                             .tensors = kTensors,
                             .block = kBlock,
                             .gguf_tenth_mscale = true,
                             .defaults = kV3Defaults,
                             .refine = refine_v3};

constexpr Family kDeepseekV2{.name = "deepseek_v2",
                             .gguf = "deepseek2",
                             .tensors = kTensors,
                             .block = kBlock,
                             .gguf_tenth_mscale = true,
                             .defaults = kV2Defaults,
                             .refine = refine_v2};

constexpr Family kKimiK2{.name = "kimi_k2",
                         .gguf = "deepseek2",
                         .tensors = kTensors,
                         .block = kBlock,
                         .gguf_tenth_mscale = true,
                         .defaults = kKimiDefaults,
                         .refine = refine_v3};

}  // namespace

// A GGUF file is read by the first of the name: the one that tells the generations apart.
std::span<const Family* const> deepseek_families() {
    static constexpr const Family* kAll[] = {&kDeepseekV3, &kDeepseekV2, &kKimiK2};
    return kAll;
}

}  // namespace heft::arch
