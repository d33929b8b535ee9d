#include <cmath>

#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kTensors = join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kGatedFfn,
                               kRopeDivisors, kRopeFactors);

// Scales by depth and width (MiniCPM, 2404.06395, section 3.1). GGUF files made before it had keys
// for them are of the first published model.
Status refine(const ConfigSource& source, Config& config) {
    const auto number = [&](const char* hf, const char* gguf, double usual) {
        return source.number(hf, gguf).value_or(usual);
    };
    const double embedding = number("scale_emb", "embedding_scale", 12);
    const double depth = number("scale_depth", "", 1.4);
    const double base = number("dim_model_base", "", 256);
    if (!(base > 0)) return Error{Code::corrupt, "dim_model_base is not positive"};
    const bool keyed = source.number("", "logit_scale").has_value();
    config.embedding_scale = static_cast<float>(embedding);
    if (!keyed) {
        config.residual_scale = static_cast<float>(depth / std::sqrt(config.n_layer));
        config.logit_scale = static_cast<float>(base / config.d_model);
    }
    return {};
}

constexpr Family kMiniCpm{.name = "minicpm",
                          .gguf = "minicpm",
                          .tensors = kTensors,
                          .gguf_interleaves_qk = true,
                          .gguf_divides_logits = true,
                          .refine = refine};

}  // namespace

std::span<const Family* const> minicpm_families() {
    static constexpr const Family* kAll[] = {&kMiniCpm};
    return kAll;
}

}  // namespace heft::arch
