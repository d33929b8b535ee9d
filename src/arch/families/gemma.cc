#include <cmath>

#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 4> kNormsAround = {{
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
    {Role::attn_post_norm, "model.layers.{}.post_attention_layernorm.weight",
     "blk.{}.post_attention_norm.weight", Dim::model},
    {Role::ffn_norm, "model.layers.{}.pre_feedforward_layernorm.weight", "blk.{}.ffn_norm.weight",
     Dim::model},
    {Role::ffn_post_norm, "model.layers.{}.post_feedforward_layernorm.weight",
     "blk.{}.post_ffw_norm.weight", Dim::model},
}};

constexpr auto kGemmaTensors = norms_plus_one(join(kEnds, kBlockNorms, kAttention, kGatedFfn));
constexpr auto kGemma2Tensors = norms_plus_one(join(kEnds, kNormsAround, kAttention, kGatedFfn));
constexpr auto kGemma3Tensors =
    norms_plus_one(join(kEnds, kNormsAround, kAttention, kQkNorm<Dim::head, Dim::head>, kGatedFfn));

// The published configs say hidden_act "gelu", but were trained with the tanh form; only the newer
// key hidden_activation is to be believed.
void read_activation(const ConfigSource& source, Config& config) {
    const auto act = source.string("hidden_activation", "");
    config.block.act = act == "gelu" ? Act::gelu_erf : Act::gelu_tanh;
}

Status refine(const ConfigSource& source, Config& config) {
    read_activation(source, config);
    return {};
}

// Scores are scaled by a number of their own. GGUF files of the published models do not hold it: it
// differs from the width of a head in the largest of each generation only, which has this many
// layers.
void read_score_scale(const ConfigSource& source, Config& config, int layers_of_largest) {
    auto width = source.number("query_pre_attn_scalar", "").value_or(config.d_head);
    if (source.is_gguf()) {
        if (source.number("", "attention.scale")) return;
        if (config.n_layer == layers_of_largest)
            width = static_cast<double>(config.d_model) / config.n_head;
    }
    config.attn_scale = static_cast<float>(1 / std::sqrt(width));
}

Status refine_gemma2(const ConfigSource& source, Config& config) {
    read_activation(source, config);
    read_score_scale(source, config, 46);
    // The first GGUF files were made before there were keys for these.
    if (source.is_gguf() && !source.in_gguf("attn_logit_softcapping")) config.attn_cap = 50;
    if (source.is_gguf() && !source.in_gguf("final_logit_softcapping")) config.logit_cap = 30;
    return {};
}

// Sliding layers rotate by a base of their own and without scaling.
Status refine_gemma3(const ConfigSource& source, Config& config) {
    read_activation(source, config);
    read_score_scale(source, config, 62);
    config.local_rope = Rope{};
    config.local_rope.dim = config.rope.dim;
    config.local_rope.pairs = config.rope.pairs;
    config.local_rope.theta =
        source
            .number("rope_local_base_freq|rope_parameters.sliding_attention.rope_theta",
                    "rope.freq_base_swa")
            .value_or(10000);
    if (!(config.local_rope.theta > 1 && config.local_rope.theta < 1e18))
        return Error{Code::corrupt, "rope_local_base_freq is out of range"};
    return {};
}

constexpr Default kGemmaDefaults[] = {{"vocab_size", 256000},
                                      {"hidden_size", 3072},
                                      {"intermediate_size", 24576},
                                      {"num_hidden_layers", 28},
                                      {"num_attention_heads", 16},
                                      {"num_key_value_heads", 16},
                                      {"head_dim", 256},
                                      {"max_position_embeddings", 8192},
                                      {"rms_norm_eps", 1e-6},
                                      {"tie_word_embeddings", 1}};

constexpr Default kGemma2Defaults[] = {{"vocab_size", 256000},
                                       {"hidden_size", 2304},
                                       {"intermediate_size", 9216},
                                       {"num_hidden_layers", 26},
                                       {"num_attention_heads", 8},
                                       {"num_key_value_heads", 4},
                                       {"head_dim", 256},
                                       {"max_position_embeddings", 8192},
                                       {"rms_norm_eps", 1e-6},
                                       {"tie_word_embeddings", 1},
                                       {"sliding_window", 4096},
                                       {"query_pre_attn_scalar", 256},
                                       {"attn_logit_softcapping", 50},
                                       {"final_logit_softcapping", 30}};

constexpr Default kGemma3Defaults[] = {
    {"vocab_size", 262208},      {"hidden_size", 2304},
    {"intermediate_size", 9216}, {"num_hidden_layers", 26},
    {"num_attention_heads", 8},  {"num_key_value_heads", 4},
    {"head_dim", 256},           {"max_position_embeddings", 131072},
    {"rms_norm_eps", 1e-6},      {"tie_word_embeddings", 1},
    {"sliding_window", 4096},    {"query_pre_attn_scalar", 256},
    {"rope_theta", 1e6},         {"rope_local_base_freq", 10000}};

constexpr Family kGemma{.name = "gemma",
                        .gguf = "gemma",
                        .tensors = kGemmaTensors,
                        .block = {.act = Act::gelu_tanh},
                        .scale_embedding = true,
                        .defaults = kGemmaDefaults,
                        .refine = refine};

constexpr Family kGemma2{.name = "gemma2",
                         .gguf = "gemma2",
                         .tensors = kGemma2Tensors,
                         .block = {.norms = Norms::around, .act = Act::gelu_tanh},
                         .window = Window::periodic,
                         .window_period = 2,
                         .gguf_window = 4096,
                         .scale_embedding = true,
                         .gguf_wants_scales = true,
                         .defaults = kGemma2Defaults,
                         .refine = refine_gemma2};

constexpr Family kGemma3{
    .name = "gemma3_text",
    .gguf = "gemma3",
    .tensors = kGemma3Tensors,
    .block = {.norms = Norms::around, .qk_norm = QkNorm::head, .act = Act::gelu_tanh},
    .window = Window::periodic,
    .window_period = 6,
    .scale_embedding = true,
    .defaults = kGemma3Defaults,
    .refine = refine_gemma3};

}  // namespace

std::span<const Family* const> gemma_families() {
    static constexpr const Family* kAll[] = {&kGemma, &kGemma2, &kGemma3};
    return kAll;
}

}  // namespace heft::arch
