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

constexpr Family kMixtral{.name = "mixtral",
                          .gguf = "llama",
                          .tensors = kTensors,
                          .window = Window::every,
                          .gguf_interleaves_qk = true,
                          .refine = refine};

}  // namespace

std::span<const Family* const> llama_families() {
    static constexpr const Family* kAll[] = {&kLlama, &kMistral, &kMixtral};
    return kAll;
}

}  // namespace heft::arch
