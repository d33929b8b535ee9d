#include "arch/families/tables.h"

namespace heft::arch {

namespace {

// One norm, without bias, for both branches.
constexpr std::array<Tensor, 1> kNorm = {{
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
}};

constexpr auto kTensors = join(kEnds, kNorm, kAttention, kQkvBias<true>, kOutBias, kGatedFfn);

Status refine(const ConfigSource& source, Config& config) {
    if (source.flag("use_qk_norm", "").value_or(false))
        return Error{Code::unsupported, "query and key norms with weights of each head's own"};
    config.logit_scale =
        static_cast<float>(source.number("logit_scale", "logit_scale").value_or(0.0625));
    return {};
}

// Layers that see everything do without rope.
Status refine_cohere2(const ConfigSource& source, Config& config) {
    config.rotates = config.sliding;
    return refine(source, config);
}

constexpr Block kBlock{
    .norm = NormKind::layer, .residual = Residual::parallel, .pairs = Pairs::neighbour};

constexpr Family kCohere{.name = "cohere",
                         .gguf = "command-r",
                         .tensors = kTensors,
                         .block = kBlock,
                         .tied_by_default = true,
                         .refine = refine};

constexpr Family kCohere2{.name = "cohere2",
                          .gguf = "cohere2",
                          .tensors = kTensors,
                          .block = kBlock,
                          .window = Window::periodic,
                          .window_period = 4,
                          .tied_by_default = true,
                          .refine = refine_cohere2};

}  // namespace

std::span<const Family* const> cohere_families() {
    static constexpr const Family* kAll[] = {&kCohere, &kCohere2};
    return kAll;
}

}  // namespace heft::arch
