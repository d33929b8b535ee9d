// Any config.json (the first line) and any safetensors file (the rest) as a packed checkpoint:
// opening fails with a sentence, or every weight can be read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "format/packed/packed.h"
#include "format/safetensors.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace {

// Three bits of a file make at most a float.
constexpr std::uint64_t kMostBytes = 1U << 24;

void read_all(const heft::TensorView& tensor) {
    const auto bytes = heft::tensor_bytes(tensor.type, tensor.shape);
    HEFT_CHECK(bytes);
    if (*bytes == 0 || *bytes > kMostBytes || heft::codec(tensor.type) == nullptr) return;
    const std::int64_t rows = heft::rows_of(tensor);
    const auto count = static_cast<std::size_t>(rows * heft::columns_of(tensor));
    std::vector<float> floats(count);
    heft::read_rows(tensor, 0, rows, floats.data());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const heft::Bytes all = std::as_bytes(std::span(data, size));
    const auto line = std::find(all.begin(), all.end(), std::byte{'\n'});
    if (line == all.end()) return 0;
    const auto length = static_cast<std::size_t>(line - all.begin());
    const auto config = heft::JsonDoc::parse(heft::as_text(all.first(length)));
    auto file = heft::format::parse_safetensors(all.subspan(length + 1));
    if (!config || !config->root().is_object() || !file) return 0;
    const auto unpacked =
        heft::format::unpack(config->root(), std::nullopt, std::move(file->tensors));
    if (!unpacked) {
        HEFT_CHECK(!unpacked.error().what.empty());
        return 0;
    }
    for (const heft::TensorView& tensor : *unpacked) read_all(tensor);
    return 0;
}
