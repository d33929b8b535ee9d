#include "tensor/rows.h"

#include <algorithm>

#include "base/check.h"
#include "tensor/quant/quant.h"

namespace heft {

namespace {

std::size_t row_size(const TensorView& view) {
    const auto bytes = row_bytes(view.type, static_cast<std::uint64_t>(columns_of(view)));
    HEFT_CHECK(bytes);  // whoever made the view has checked it
    return static_cast<std::size_t>(*bytes);
}

}  // namespace

std::int64_t columns_of(const TensorView& view) {
    return view.shape.empty() ? 1 : view.shape.back();
}

std::int64_t rows_of(const TensorView& view) {
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < view.shape.size(); ++i) rows *= view.shape[i];
    return rows;
}

void read_stored_rows(const TensorView& view, std::int64_t first, std::int64_t count,
                      std::byte* to) {
    HEFT_CHECK(first >= 0 && count >= 0 && count <= rows_of(view) - first);
    if (view.repack) return view.repack->rows(first, count, to);
    const std::size_t size = row_size(view);
    const Bytes rows = view.data.subspan(static_cast<std::size_t>(first) * size,
                                         static_cast<std::size_t>(count) * size);
    std::copy(rows.begin(), rows.end(), to);
}

void read_rows(const TensorView& view, std::int64_t first, std::int64_t count, float* to) {
    // Packed matrices are often kept by columns; reading some rows together reads the file once.
    constexpr std::int64_t kAtOnce = 16;
    const Codec* from = codec(view.type);
    HEFT_CHECK(from != nullptr);
    const std::int64_t columns = columns_of(view);
    const std::size_t size = row_size(view);
    std::vector<std::byte> stored(size * static_cast<std::size_t>(std::min(count, kAtOnce)));
    std::vector<float> ordered(view.input_order ? static_cast<std::size_t>(columns) : 0);
    for (std::int64_t r = 0; r < count; ++r, to += columns) {
        if (r % kAtOnce == 0)
            read_stored_rows(view, first + r, std::min(count - r, kAtOnce), stored.data());
        const std::byte* row = stored.data() + size * static_cast<std::size_t>(r % kAtOnce);
        from->dequantise(row, columns, view.input_order ? ordered.data() : to);
        for (std::size_t k = 0; k < ordered.size(); ++k) to[(*view.input_order)[k]] = ordered[k];
    }
}

}  // namespace heft
