#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 2> kEndsWithoutNorm = {{
    {Role::token_embd, "model.embed_tokens.weight", "token_embd.weight", Dim::vocab, Dim::model},
    {Role::output, "lm_head.weight", "output.weight", Dim::vocab, Dim::model},
}};

constexpr std::array<Tensor, 2> kNormsAfter = {{
    {Role::attn_post_norm, "model.layers.{}.post_attention_layernorm.weight",
     "blk.{}.post_attention_norm.weight", Dim::model},
    {Role::ffn_post_norm, "model.layers.{}.post_feedforward_layernorm.weight",
     "blk.{}.post_ffw_norm.weight", Dim::model},
}};

constexpr auto kOlmoTensors = join(kEndsWithoutNorm, kAttention, kGatedFfn);
constexpr auto kOlmo2Tensors =
    join(kEnds, kNormsAfter, kAttention, kQkNorm<Dim::q, Dim::kv>, kGatedFfn);
constexpr auto kOlmoeTensors =
    join(kEnds, kBlockNorms, kAttention, kQkNorm<Dim::q, Dim::kv>, kExperts);

// Its norms have no weights, and this epsilon whatever the config says.
Status refine(const ConfigSource&, Config& config) {
    config.norm_eps = 1e-5F;
    return {};
}

constexpr Family kOlmo{.name = "olmo",
                       .gguf = "olmo",
                       .tensors = kOlmoTensors,
                       .block = {.norm = NormKind::layer},
                       .gguf_interleaves_qk = true,
                       .refine = refine};

constexpr Family kOlmo2{.name = "olmo2",
                        .gguf = "olmo2",
                        .tensors = kOlmo2Tensors,
                        .block = {.norms = Norms::after, .qk_norm = QkNorm::whole},
                        .window = Window::periodic,
                        .window_period = 4};

// The same with three of four layers sliding.
constexpr Family kOlmo3{.name = "olmo3",
                        .gguf = "olmo2",
                        .tensors = kOlmo2Tensors,
                        .block = {.norms = Norms::after, .qk_norm = QkNorm::whole},
                        .window = Window::periodic,
                        .window_period = 4};

constexpr Family kOlmoe{.name = "olmoe",
                        .gguf = "olmoe",
                        .tensors = kOlmoeTensors,
                        .block = {.qk_norm = QkNorm::whole}};

}  // namespace

std::span<const Family* const> olmo_families() {
    static constexpr const Family* kAll[] = {&kOlmo, &kOlmo2, &kOlmo3, &kOlmoe};
    return kAll;
}

}  // namespace heft::arch
