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

// GGUF calls the mixture by the same name as the dense model, so all have all rows.
constexpr auto kTensors =
    join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, in_layers(On::dense, kGatedFfn),
         in_layers(On::dense, kGatedFfnBias), kMixtralExperts, kRopeDivisors);

Status refine(const ConfigSource&, Config& config) {
    config.experts.normalise = true;
    return {};
}

constexpr Family kLlama{.name = "llama",
                        .gguf = "llama",
                        .tensors = kTensors,
                        .gguf_interleaves_qk = true,
                        .refine = refine};

// The same mathematics with a sliding window.
constexpr Family kMistral{.name = "mistral",
                          .gguf = "llama",
                          .tensors = kTensors,
                          .window = Window::every,
                          .gguf_interleaves_qk = true,
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

constexpr Family kMinistral3{.name = "ministral3",
                             .gguf = "mistral3",
                             .tensors = kTensors,
                             .window = Window::every,
                             .gguf_interleaves_qk = true,
                             .refine = refine_ministral3};

constexpr Family kMixtral{.name = "mixtral",
                          .gguf = "llama",
                          .tensors = kTensors,
                          .window = Window::every,
                          .gguf_interleaves_qk = true,
                          .refine = refine};

}  // namespace

std::span<const Family* const> llama_families() {
    static constexpr const Family* kAll[] = {&kLlama, &kMistral, &kMixtral, &kMinistral3};
    return kAll;
}

}  // namespace heft::arch
