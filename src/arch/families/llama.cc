#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 4> kMixtralExperts = {{
    sparse(Role::router, "model.layers.{}.block_sparse_moe.gate.weight",
           "blk.{}.ffn_gate_inp.weight", Dim::experts, Dim::model),
    expert(Role::expert_gate, "model.layers.{}.block_sparse_moe.experts.{}.w1.weight",
           "blk.{}.ffn_gate_exps.weight", Dim::expert_ff, Dim::model),
    expert(Role::expert_up, "model.layers.{}.block_sparse_moe.experts.{}.w3.weight",
           "blk.{}.ffn_up_exps.weight", Dim::expert_ff, Dim::model),
    expert(Role::expert_down, "model.layers.{}.block_sparse_moe.experts.{}.w2.weight",
           "blk.{}.ffn_down_exps.weight", Dim::model, Dim::expert_ff),
}};

// GGUF files from before experts were stacked have a tensor for each.
constexpr Tensor unstacked(Role role, const char* gguf, Dim rows, Dim cols) {
    Tensor tensor = expert(role, nullptr, gguf, rows, cols);
    tensor.optional = true;
    return tensor;
}

constexpr std::array<Tensor, 3> kUnstackedExperts = {{
    unstacked(Role::expert_gate, "blk.{}.ffn_gate.{}.weight", Dim::expert_ff, Dim::model),
    unstacked(Role::expert_up, "blk.{}.ffn_up.{}.weight", Dim::expert_ff, Dim::model),
    unstacked(Role::expert_down, "blk.{}.ffn_down.{}.weight", Dim::model, Dim::expert_ff),
}};

// GGUF calls the mixture by the same name as the dense model, so all have all rows.
constexpr auto kTensors =
    join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, in_layers(On::dense, kGatedFfn),
         in_layers(On::dense, kGatedFfnBias), kMixtralExperts, kUnstackedExperts, kRopeDivisors);

Status refine(const ConfigSource&, Config& config) {
    config.experts.normalise = true;
    return {};
}

constexpr Default kLlamaDefaults[] = {
    {"vocab_size", 32000},     {"hidden_size", 4096},       {"intermediate_size", 11008},
    {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
    {"rms_norm_eps", 1e-6}};

constexpr Family kLlama{.name = "llama",
                        .gguf = "llama",
                        .tensors = kTensors,
                        .gguf_interleaves_qk = true,
                        .defaults = kLlamaDefaults,
                        .refine = refine};

constexpr Default kMistralDefaults[] = {{"vocab_size", 32000},
                                        {"hidden_size", 4096},
                                        {"intermediate_size", 14336},
                                        {"num_hidden_layers", 32},
                                        {"num_attention_heads", 32},
                                        {"num_key_value_heads", 8},
                                        {"max_position_embeddings", 131072},
                                        {"rms_norm_eps", 1e-6},
                                        {"sliding_window", 4096}};

// The same mathematics with a sliding window.
constexpr Family kMistral{.name = "mistral",
                          .gguf = "llama",
                          .tensors = kTensors,
                          .window = Window::every,
                          .gguf_interleaves_qk = true,
                          .defaults = kMistralDefaults,
                          .refine = refine};

// Queries far into the text are sharpened, as in Llama 4, but in all layers.
Status refine_ministral3(const ConfigSource& source, Config& config) {
    config.tune = static_cast<float>(
        source.number("rope_parameters.llama_4_scaling_beta", "attention.temperature_scale")
            .value_or(0));
    config.tune_length = static_cast<float>(config.rope.original_ctx);
    config.tune_all = true;
    if (!(config.tune_length >= 1))
        return Error{Code::corrupt, "original_max_position_embeddings is out of range"};
    return {};
}

constexpr Default kMinistral3Defaults[] = {{"vocab_size", 131072},
                                           {"hidden_size", 4096},
                                           {"intermediate_size", 14336},
                                           {"num_hidden_layers", 34},
                                           {"num_attention_heads", 32},
                                           {"num_key_value_heads", 8},
                                           {"head_dim", 128},
                                           {"max_position_embeddings", 262144},
                                           {"rms_norm_eps", 1e-5}};

constexpr Family kMinistral3{.name = "ministral3",
                             .gguf = "mistral3",
                             .tensors = kTensors,
                             .window = Window::every,
                             .gguf_interleaves_qk = true,
                             .defaults = kMinistral3Defaults,
                             .refine = refine_ministral3};

constexpr Default kMixtralDefaults[] = {{"vocab_size", 32000},
                                        {"hidden_size", 4096},
                                        {"intermediate_size", 14336},
                                        {"num_hidden_layers", 32},
                                        {"num_attention_heads", 32},
                                        {"num_key_value_heads", 8},
                                        {"max_position_embeddings", 131072},
                                        {"rms_norm_eps", 1e-5},
                                        {"rope_theta", 1e6},
                                        {"num_local_experts", 8},
                                        {"num_experts_per_tok", 2}};

constexpr Family kMixtral{.name = "mixtral",
                          .gguf = "llama",
                          .tensors = kTensors,
                          .window = Window::every,
                          .gguf_interleaves_qk = true,
                          .defaults = kMixtralDefaults,
                          .refine = refine};

}  // namespace

std::span<const Family* const> llama_families() {
    static constexpr const Family* kAll[] = {&kLlama, &kMistral, &kMixtral, &kMinistral3};
    return kAll;
}

}  // namespace heft::arch
