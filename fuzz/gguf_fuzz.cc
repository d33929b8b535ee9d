// Any bytes as a GGUF file: parsing fails with a sentence, or everything that it promises can be
// touched.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "format/checkpoint.h"
#include "format/gguf.h"

namespace {

using heft::format::Metadata;
using heft::format::MetaEntry;

// Keeps the reads from being optimised away.
volatile unsigned touched = 0;

void touch(heft::Bytes bytes) {
    if (bytes.empty()) return;
    touched = touched + static_cast<unsigned>(bytes.front()) + static_cast<unsigned>(bytes.back());
}

void touch_metadata(const Metadata& metadata) {
    int looked_up = 0;  // find() is linear: a few of a hostile number of keys will do
    for (const MetaEntry& entry : metadata.entries()) {
        touch(entry.value.data);
        if (++looked_up > 64) continue;
        HEFT_CHECK(metadata.find(entry.key) == &entry.value);
        const bool number = metadata.integer(entry.key) && metadata.number(entry.key);
        touched = touched + number + metadata.flag(entry.key).value_or(false);
        if (const auto text = metadata.string(entry.key)) touch(heft::as_bytes(*text));
        for (const auto text : metadata.strings(entry.key)) touch(heft::as_bytes(text));
        touched = touched
                  + static_cast<unsigned>(metadata.floats(entry.key).size()
                                          + metadata.integers(entry.key).size());
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const heft::Bytes bytes = std::as_bytes(std::span(data, size));
    const auto model = heft::format::Checkpoint::from_gguf(bytes, "fuzz");
    if (!model) {
        HEFT_CHECK(!model.error().what.empty());
        return 0;
    }
    touch_metadata(model->metadata());
    for (const heft::TensorView& tensor : model->tensors()) {
        touch(tensor.data);
        const auto expected = heft::tensor_bytes(tensor.type, tensor.shape);
        HEFT_CHECK(expected && *expected == tensor.data.size());
        HEFT_CHECK(model->find(tensor.name) == &tensor);
    }
    return 0;
}
