#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kQwen2Tensors = join(kEnds, kBlockNorms, kAttention, kQkvBias<false>, kGatedFfn);
constexpr auto kQwen3Tensors =
    join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kQkNorm, kGatedFfn);

}  // namespace

constexpr Family kQwen2{
    .name = "qwen2", .gguf = "qwen2", .tensors = kQwen2Tensors, .window = Window::upper_layers};

constexpr Family kQwen3{.name = "qwen3",
                        .gguf = "qwen3",
                        .tensors = kQwen3Tensors,
                        .qk_norm = QkNorm::head,
                        .window = Window::upper_layers};

}  // namespace heft::arch
