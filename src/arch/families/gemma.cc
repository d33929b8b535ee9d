#include "arch/config_source.h"
#include "arch/families/tables.h"

namespace heft::arch {

namespace {

// Norms are stored minus one in Hugging Face files; GGUF holds the sum.
template <std::size_t size>
constexpr std::array<Tensor, size> norms_plus_one(std::array<Tensor, size> tensors) {
    for (Tensor& tensor : tensors)
        if (tensor.rows == Dim::model && tensor.cols == Dim::none) tensor.load = Load::plus_one;
    return tensors;
}

constexpr auto kTensors = norms_plus_one(join(kEnds, kBlockNorms, kAttention, kGatedFfn));

// The published configs say hidden_act "gelu", but were trained with the tanh form; only the newer
// key hidden_activation is to be believed.
Status refine(const ConfigSource& source, Config& config) {
    const auto act = source.string("hidden_activation", "");
    config.act = act == "gelu" ? Act::gelu_erf : Act::gelu_tanh;
    return {};
}

}  // namespace

constexpr Family kGemma{.name = "gemma",
                        .gguf = "gemma",
                        .tensors = kTensors,
                        .act = Act::gelu_tanh,
                        .scale_embedding = true,
                        .tied_by_default = true,
                        .refine = refine};

}  // namespace heft::arch
