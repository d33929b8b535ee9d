#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr std::array<Tensor, 3> kDense = {{
    {Role::ffn_gate, "model.layers.{}.feed_forward.gate_proj.weight", "blk.{}.ffn_gate.weight",
     Dim::ff, Dim::model},
    {Role::ffn_up, "model.layers.{}.feed_forward.up_proj.weight", "blk.{}.ffn_up.weight", Dim::ff,
     Dim::model},
    {Role::ffn_down, "model.layers.{}.feed_forward.down_proj.weight", "blk.{}.ffn_down.weight",
     Dim::model, Dim::ff},
}};

// Gate, then up, in the columns of [expert, in, out].
constexpr Tensor gate_or_up(Role role, const char* gguf, int part) {
    Tensor tensor = expert(role, "model.layers.{}.feed_forward.experts.gate_up_proj", gguf,
                           Dim::expert_ff, Dim::model);
    tensor.fused = {{Dim::expert_ff, Dim::expert_ff}, part};
    tensor.load = Load::transposed;
    return tensor;
}

constexpr Tensor down() {
    Tensor tensor = expert(Role::expert_down, "model.layers.{}.feed_forward.experts.down_proj",
                           "blk.{}.ffn_down_exps.weight", Dim::model, Dim::expert_ff);
    tensor.load = Load::transposed;
    return tensor;
}

constexpr std::array<Tensor, 7> kMixture = {{
    sparse(Role::router, "model.layers.{}.feed_forward.router.weight", "blk.{}.ffn_gate_inp.weight",
           Dim::experts, Dim::model),
    gate_or_up(Role::expert_gate, "blk.{}.ffn_gate_exps.weight", 0),
    gate_or_up(Role::expert_up, "blk.{}.ffn_up_exps.weight", 1),
    down(),
    sparse(Role::shared_gate, "model.layers.{}.feed_forward.shared_expert.gate_proj.weight",
           "blk.{}.ffn_gate_shexp.weight", Dim::shared_ff, Dim::model),
    sparse(Role::shared_up, "model.layers.{}.feed_forward.shared_expert.up_proj.weight",
           "blk.{}.ffn_up_shexp.weight", Dim::shared_ff, Dim::model),
    sparse(Role::shared_down, "model.layers.{}.feed_forward.shared_expert.down_proj.weight",
           "blk.{}.ffn_down_shexp.weight", Dim::model, Dim::shared_ff),
}};

constexpr auto kTensors =
    join(kEnds, kBlockNorms, kAttention, in_layers(On::dense, kDense), kMixture, kRopeDivisors);

// What GGUF has no keys for, as the published models have it.
constexpr int kPublishedChunk = 8192;
constexpr int kPublishedPeriod = 4;
constexpr int kExpertsWithoutQkNorm = 128;  // of the model that has none

// Which layers rotate, and that these see chunks.
void read_chunks(const ConfigSource& source, Config& config) {
    const bool implied = config.rotates.empty();
    if (implied) {
        config.rotates.resize(static_cast<std::size_t>(config.n_layer));
        for (int i = 0; i < config.n_layer; ++i)
            config.rotates[static_cast<std::size_t>(i)] = (i + 1) % kPublishedPeriod != 0;
    }
    if (config.window == 0 || source.is_gguf())
        config.window =
            static_cast<int>(source.integer("", "attention.chunk_size").value_or(kPublishedChunk));
    if (config.sliding.empty() || (implied && source.strings("layer_types").empty()))
        config.sliding = config.rotates;
    config.chunked = true;
}

Status refine(const ConfigSource& source, Config& config) {
    Experts& experts = config.experts;
    experts.score = Score::sigmoid;
    experts.weigh_input = true;
    experts.normalise = false;
    experts.d_shared = experts.d_ff;
    const bool norm = !source.is_gguf() || experts.n != kExpertsWithoutQkNorm;
    if (!source.flag("use_qk_norm", "attention.qk_norm").value_or(norm))
        config.block.qk_norm = QkNorm::none;
    // A GGUF file says by a window of 0 that all layers rotate and see everything.
    if (source.integer("", "attention.sliding_window") == 0) return {};
    read_chunks(source, config);
    if (source.flag("attn_temperature_tuning", "").value_or(true)) {
        config.tune = static_cast<float>(
            source.number("attn_scale", "attention.temperature_scale").value_or(0.1));
        config.tune_length = static_cast<float>(
            source.number("floor_scale", "attention.temperature_length").value_or(8192));
    }
    if (config.window < 1 || !(config.tune_length >= 1))
        return Error{Code::corrupt, "attention_chunk_size or floor_scale is out of range"};
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 202048},
                                 {"hidden_size", 5120},
                                 {"intermediate_size", 8192},
                                 {"intermediate_size_mlp", 16384},
                                 {"num_hidden_layers", 48},
                                 {"num_attention_heads", 40},
                                 {"num_key_value_heads", 8},
                                 {"head_dim", 128},
                                 {"max_position_embeddings", 131072},
                                 {"rms_norm_eps", 1e-5},
                                 {"rope_theta", 500000},
                                 {"num_local_experts", 16},
                                 {"num_experts_per_tok", 1},
                                 {"attention_chunk_size", 8192},
                                 {"no_rope_layer_interval", 4}};

constexpr Family kLlama4{.name = "llama4_text",
                         .gguf = "llama4",
                         .tensors = kTensors,
                         .block = {.qk_norm = QkNorm::unit, .pairs = Pairs::neighbour},
                         .window = Window::chunked,
                         .defaults = kDefaults,
                         .refine = refine};

}  // namespace

std::span<const Family* const> llama4_families() {
    static constexpr const Family* kAll[] = {&kLlama4};
    return kAll;
}

}  // namespace heft::arch
