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

// OLMo 3: sliding layers rotate without the scaling of the others.
Status refine_olmo3(const ConfigSource&, Config& config) {
    if (config.window == 0 || config.rope.scaling == Scaling::none) return {};
    config.local_rope = Rope{};
    config.local_rope.dim = config.rope.dim;
    config.local_rope.pairs = config.rope.pairs;
    config.local_rope.theta = config.rope.theta;
    return {};
}

Status refine_olmoe(const ConfigSource&, Config& config) {
    if (config.qkv_limit > 0)
        return Error{Code::unsupported, "clip_qkv that limits queries and keys after their norms"};
    return {};
}

constexpr Default kOlmoDefaults[] = {
    {"vocab_size", 50304},     {"hidden_size", 4096},       {"intermediate_size", 11008},
    {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
    {"rms_norm_eps", 1e-5}};

constexpr Default kOlmo3Defaults[] = {
    {"vocab_size", 50304},     {"hidden_size", 4096},       {"intermediate_size", 11008},
    {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
    {"rms_norm_eps", 1e-5},    {"sliding_window", 4096}};

constexpr Default kOlmoeDefaults[] = {
    {"vocab_size", 50304},     {"hidden_size", 2048},       {"intermediate_size", 2048},
    {"num_hidden_layers", 16}, {"num_attention_heads", 16}, {"max_position_embeddings", 4096},
    {"rms_norm_eps", 1e-5},    {"num_experts", 64},         {"num_experts_per_tok", 8}};

constexpr Family kOlmo{.name = "olmo",
                       .gguf = "olmo",
                       .tensors = kOlmoTensors,
                       .block = {.norm = NormKind::layer},
                       .gguf_interleaves_qk = true,
                       .defaults = kOlmoDefaults,
                       .refine = refine};

// GGUF has one name for both generations.
constexpr Family kOlmo2{.name = "olmo2",
                        .gguf = "olmo2",
                        .tensors = kOlmo2Tensors,
                        .block = {.norms = Norms::after, .qk_norm = QkNorm::whole},
                        .window = Window::periodic,
                        .window_period = 4,
                        .defaults = kOlmoDefaults,
                        .refine = refine_olmo3};

// The same with three of four layers sliding.
constexpr Family kOlmo3{.name = "olmo3",
                        .gguf = "olmo2",
                        .tensors = kOlmo2Tensors,
                        .block = {.norms = Norms::after, .qk_norm = QkNorm::whole},
                        .window = Window::periodic,
                        .window_period = 4,
                        .defaults = kOlmo3Defaults,
                        .refine = refine_olmo3};

constexpr Family kOlmoe{.name = "olmoe",
                        .gguf = "olmoe",
                        .tensors = kOlmoeTensors,
                        .block = {.qk_norm = QkNorm::whole},
                        .defaults = kOlmoeDefaults,
                        .refine = refine_olmoe};

}  // namespace

std::span<const Family* const> olmo_families() {
    static constexpr const Family* kAll[] = {&kOlmo, &kOlmo2, &kOlmo3, &kOlmoe};
    return kAll;
}

}  // namespace heft::arch
