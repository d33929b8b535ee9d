#include "arch/families/tables.h"

namespace heft::arch {

namespace {

// One norm, without bias, for both branches.
constexpr std::array<Tensor, 1> kNorm = {{
    {Role::attn_norm, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight",
     Dim::model},
}};

constexpr auto kTensors = join(kEnds, kNorm, kAttention, kQkvBias<true>, kOutBias, kGatedFfn);

void read_logit_scale(const ConfigSource& source, Config& config) {
    config.logit_scale =
        static_cast<float>(source.number("logit_scale", "logit_scale").value_or(0.0625));
}

Status refine(const ConfigSource& source, Config& config) {
    if (source.flag("use_qk_norm", "").value_or(false))
        return Error{Code::unsupported, "query and key norms with weights of each head's own"};
    read_logit_scale(source, config);
    return {};
}

// Layers that see everything do without rope: without a window, all.
Status refine_cohere2(const ConfigSource& source, Config& config) {
    config.rotates = config.sliding;
    config.rotates.resize(static_cast<std::size_t>(config.n_layer));
    read_logit_scale(source, config);
    return {};
}

constexpr Default kCohereDefaults[] = {
    {"vocab_size", 256000},    {"hidden_size", 8192},       {"intermediate_size", 22528},
    {"num_hidden_layers", 40}, {"num_attention_heads", 64}, {"max_position_embeddings", 8192},
    {"layer_norm_eps", 1e-5},  {"rope_theta", 500000},      {"tie_word_embeddings", 1}};

constexpr Default kCohere2Defaults[] = {
    {"vocab_size", 256000},    {"hidden_size", 8192},       {"intermediate_size", 22528},
    {"num_hidden_layers", 40}, {"num_attention_heads", 64}, {"max_position_embeddings", 8192},
    {"layer_norm_eps", 1e-5},  {"sliding_window", 4096},    {"tie_word_embeddings", 1}};

constexpr Block kBlock{
    .norm = NormKind::layer, .residual = Residual::parallel, .pairs = Pairs::neighbour};

constexpr Family kCohere{.name = "cohere",
                         .gguf = "command-r",
                         .tensors = kTensors,
                         .block = kBlock,
                         .gguf_wants_scales = true,
                         .defaults = kCohereDefaults,
                         .refine = refine};

constexpr Family kCohere2{.name = "cohere2",
                          .gguf = "cohere2",
                          .tensors = kTensors,
                          .block = kBlock,
                          .window = Window::periodic,
                          .window_period = 4,
                          .gguf_wants_scales = true,
                          .defaults = kCohere2Defaults,
                          .refine = refine_cohere2};

}  // namespace

std::span<const Family* const> cohere_families() {
    static constexpr const Family* kAll[] = {&kCohere, &kCohere2};
    return kAll;
}

}  // namespace heft::arch
