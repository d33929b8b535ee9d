// Any bytes as a PyTorch checkpoint: parsing fails with a sentence, or every tensor can be read.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "format/pytorch.h"
#include "tensor/rows.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parsed = heft::format::parse_pytorch(std::as_bytes(std::span(data, size)));
    if (!parsed) {
        HEFT_CHECK(!parsed.error().what.empty());
        return 0;
    }
    for (const heft::TensorView& tensor : *parsed) {
        const auto bytes = heft::tensor_bytes(tensor.type, tensor.shape);
        HEFT_CHECK(bytes && *bytes <= size);
        std::vector<std::byte> stored(*bytes);
        if (!stored.empty())
            heft::read_stored_rows(tensor, 0, heft::rows_of(tensor), stored.data());
    }
    return 0;
}
