#include <algorithm>
#include <cmath>

#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kTensors = join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kGatedFfn,
                               kRopeDivisors, kRopeFactors);

// GGUF files with one of these keys have all that differ from 1, and are read already.
bool has_scales_of_gguf(const ConfigSource& source) {
    constexpr const char* kKeys[] = {"embedding_scale", "residual_scale", "logit_scale"};
    return std::any_of(std::begin(kKeys), std::end(kKeys),
                       [&](const char* key) { return source.number("", key).has_value(); });
}

// Scales by depth and width (MiniCPM, 2404.06395, section 3.1). GGUF files made before it had keys
// for them are of the first published model.
Status refine(const ConfigSource& source, Config& config) {
    if (has_scales_of_gguf(source)) return {};
    const double embedding = source.number("scale_emb", "").value_or(12);
    const double depth = source.number("scale_depth", "").value_or(1.4);
    const double base = source.number("dim_model_base", "").value_or(256);
    if (!(base > 0)) return Error{Code::corrupt, "dim_model_base is not positive"};
    config.embedding_scale = static_cast<float>(embedding);
    config.residual_scale = static_cast<float>(depth / std::sqrt(config.n_layer));
    config.logit_scale = static_cast<float>(base / config.d_model);
    return {};
}

constexpr Default kDefaults[] = {
    {"vocab_size", 32000},     {"hidden_size", 4096},       {"intermediate_size", 11008},
    {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"max_position_embeddings", 2048},
    {"rms_norm_eps", 1e-6},    {"tie_word_embeddings", 1},  {"scale_emb", 1},
    {"scale_depth", 1},        {"dim_model_base", 1}};

constexpr Family kMiniCpm{.name = "minicpm",
                          .gguf = "minicpm",
                          .tensors = kTensors,
                          .gguf_interleaves_qk = true,
                          .gguf_divides_logits = true,
                          .gguf_wants_scales = true,
                          .defaults = kDefaults,
                          .refine = refine};

}  // namespace

std::span<const Family* const> minicpm_families() {
    static constexpr const Family* kAll[] = {&kMiniCpm};
    return kAll;
}

}  // namespace heft::arch
