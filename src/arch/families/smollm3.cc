#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kTensors =
    join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kGatedFfn, kGatedFfnBias);

// GGUF has no key for it: every fourth layer goes without rope.
constexpr std::size_t kPublishedPeriod = 4;

Status refine(const ConfigSource& source, Config& config) {
    const auto layers = static_cast<std::size_t>(config.n_layer);
    if (config.rotates.empty()) {
        config.rotates.resize(layers);
        for (std::size_t i = 0; i < layers; ++i)
            config.rotates[i] = (i + 1) % kPublishedPeriod != 0;
    }
    // Unless they are named, the layers that slide are those without rope.
    if (config.window > 0 && source.strings("layer_types").size() != layers)
        for (std::size_t i = 0; i < layers; ++i) config.sliding[i] = !config.rotates[i];
    return {};
}

constexpr Default kDefaults[] = {{"vocab_size", 128256},
                                 {"hidden_size", 2048},
                                 {"intermediate_size", 11008},
                                 {"num_hidden_layers", 36},
                                 {"num_attention_heads", 16},
                                 {"num_key_value_heads", 4},
                                 {"max_position_embeddings", 32768},
                                 {"rms_norm_eps", 1e-6},
                                 {"rope_theta", 2e6},
                                 {"tie_word_embeddings", 1},
                                 {"no_rope_layer_interval", 4}};

constexpr Family kSmolLm3{.name = "smollm3",
                          .gguf = "smollm3",
                          .tensors = kTensors,
                          .window = Window::upper_layers,
                          .gguf_interleaves_qk = true,
                          .defaults = kDefaults,
                          .refine = refine};

}  // namespace

std::span<const Family* const> smollm3_families() {
    static constexpr const Family* kAll[] = {&kSmolLm3};
    return kAll;
}

}  // namespace heft::arch
