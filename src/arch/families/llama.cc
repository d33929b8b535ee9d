#include "arch/families/tables.h"

namespace heft::arch {

namespace {

constexpr auto kTensors = join(kEnds, kBlockNorms, kAttention, kQkvBias<true>, kOutBias, kGatedFfn,
                               kGatedFfnBias, kRopeDivisors);

}  // namespace

constexpr Family kLlama{
    .name = "llama", .gguf = "llama", .tensors = kTensors, .gguf_interleaves_qk = true};

// The same mathematics with a sliding window; GGUF files call it llama too.
constexpr Family kMistral{.name = "mistral",
                          .gguf = "llama",
                          .tensors = kTensors,
                          .window = Window::every,
                          .gguf_interleaves_qk = true};

}  // namespace heft::arch
