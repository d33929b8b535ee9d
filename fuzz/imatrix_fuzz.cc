// Any bytes as an importance matrix: parsing fails with a sentence, or every entry gives finite
// importances for the columns that it has.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "shape/imatrix.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto read = heft::shape::parse_imatrix(std::as_bytes(std::span(data, size)));
    if (!read) {
        HEFT_CHECK(!read.error().what.empty());
        return 0;
    }
    for (const auto& [name, entry] : read->entries) {
        const auto columns = static_cast<std::int64_t>(entry.sums.size() / entry.counts.size());
        if (columns == 0) continue;
        const auto importance = read->importance(name, columns);
        HEFT_CHECK(importance.size() == entry.sums.size());
        for (const float value : importance) HEFT_CHECK(std::isfinite(value) && value >= 0);
    }
    return 0;
}
