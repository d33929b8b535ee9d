// Any bytes as the saved logits of a base: parsing fails with a sentence, or gives rows of finite
// numbers for tokens that the vocabulary has.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "eval/base_logits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto base = heft::eval::BaseLogits::parse(std::as_bytes(std::span(data, size)));
    if (!base) {
        HEFT_CHECK(!base.error().what.empty());
        return 0;
    }
    for (const heft::eval::Window& window : base->windows()) {
        for (const std::int32_t id : window.ids) HEFT_CHECK(id >= 0 && id < base->n_vocab());
        for (const int position : window.positions)
            HEFT_CHECK(static_cast<std::size_t>(position) + 1 < window.ids.size());
    }
    std::vector<float> row;
    while (base->next(row)) {
        HEFT_CHECK(row.size() == static_cast<std::size_t>(base->n_vocab()));
        for (const float x : row) HEFT_CHECK(std::isfinite(x));
    }
    return 0;
}
