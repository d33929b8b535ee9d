#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kTensors =
    join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kGatedFfn, kGatedFfnBias);

constexpr int kPublishedPeriod = 4;  // GGUF has no key: every fourth layer goes without rope

Status refine(const ConfigSource&, Config& config) {
    if (!config.rotates.empty()) return {};
    config.rotates.resize(static_cast<std::size_t>(config.n_layer));
    for (int i = 0; i < config.n_layer; ++i)
        config.rotates[static_cast<std::size_t>(i)] = (i + 1) % kPublishedPeriod != 0;
    return {};
}

constexpr Family kSmolLm3{.name = "smollm3",
                          .gguf = "smollm3",
                          .tensors = kTensors,
                          .window = Window::upper_layers,
                          .gguf_interleaves_qk = true,
                          .tied_by_default = true,
                          .refine = refine};

}  // namespace

std::span<const Family* const> smollm3_families() {
    static constexpr const Family* kAll[] = {&kSmolLm3};
    return kAll;
}

}  // namespace heft::arch
