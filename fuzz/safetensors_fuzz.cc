// Any bytes as a safetensors file: parsing fails with a sentence, or the tensors fill the file.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "format/safetensors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parsed = heft::format::parse_safetensors(std::as_bytes(std::span(data, size)));
    if (!parsed) {
        HEFT_CHECK(!parsed.error().what.empty());
        return 0;
    }
    std::size_t total = 0;
    volatile unsigned touched = 0;
    for (const heft::TensorView& tensor : parsed->tensors) {
        const auto expected = heft::tensor_bytes(tensor.type, tensor.shape);
        HEFT_CHECK(expected && *expected == tensor.data.size());
        total += tensor.data.size();
        if (tensor.data.empty()) continue;
        touched = touched + static_cast<unsigned>(tensor.data.front())
                  + static_cast<unsigned>(tensor.data.back());
    }
    HEFT_CHECK(total < size || size == 0);
    return 0;
}
