// A tile or so of tokens: rows decoded to tiles of bytes as they pass by, times activations that
// are packed once for all rows (kernel/types.h).
#include <algorithm>

#include "op/matmul_call.h"
#include "op/parallel.h"

namespace heft::op {

namespace {

using kernel::kInputColumns;
using kernel::kPanelRows;
using kernel::kResultNumbers;
using kernel::kTile;

constexpr int tiles_of(int n_tokens) {
    return (n_tokens + kTile - 1) / kTile;
}

constexpr std::int64_t chunks_of(std::int64_t cols) {
    return (cols + kInputColumns - 1) / kInputColumns;
}

constexpr int kRowTiles = kPanelRows / kTile;

// Rows first … first + n_rows - 1, at most kPanelRows, of which others may follow.
struct BytePanel {
    const Call& call;
    const Product& product;
    std::int64_t first;
    int n_rows;
    float* sums;  // [token tile][row tile]

    void add_columns(std::int64_t k) const {
        const Weight& w = *product.weight;
        const DTypeInfo& info = dtype_info(w.type);
        const auto offset = [&](std::int64_t col) { return col / info.block * info.block_bytes; };
        const std::int64_t next = std::min(k + kInputColumns, w.cols);
        const std::int64_t to_next =
            next < w.cols ? offset(next - k) : kPanelRows * w.row_stride - offset(k);
        call.context->kernels.byte_panel(
            w.type, {w.data + first * w.row_stride + offset(k), w.row_stride, n_rows,
                     static_cast<int>(next - k), to_next, call.bytes + k / kInputColumns,
                     chunks_of(w.cols), tiles_of(call.n_tokens), sums, k != 0});
    }

    void put() const {
        const float* tile = sums;
        for (int t = 0; t < call.n_tokens; t += kTile)
            for (int r = 0; r < kRowTiles; ++r, tile += kResultNumbers) {
                const int rows = std::min(kTile, n_rows - r * kTile);
                if (rows <= 0) continue;
                call.context->kernels.put_tile(
                    tile, rows, std::min(kTile, call.n_tokens - t),
                    product.out + t * product.out_stride + first + r * kTile, product.out_stride);
            }
    }
};

}  // namespace

std::size_t byte_input_bytes(std::span<const Call> calls) {
    std::int64_t chunks = 0;
    for (const Call& call : calls)
        if (takes(call, Route::byte_tiles))
            chunks += tiles_of(call.n_tokens) * chunks_of(call.cols);
    return static_cast<std::size_t>(chunks) * sizeof(kernel::ByteInput);
}

void pack_bytes(Context& context, std::span<Call> calls, Scratch& scratch) {
    for (Call& call : calls) {
        if (!takes(call, Route::byte_tiles)) continue;
        call.bytes = scratch.take<kernel::ByteInput>(byte_input_bytes({&call, 1})
                                                     / sizeof(kernel::ByteInput));
        const std::int64_t chunks = chunks_of(call.cols);
        for_each(context, tiles_of(call.n_tokens) * static_cast<int>(chunks), [&](int i, int) {
            const auto t = static_cast<int>(i / chunks) * kTile;
            const std::int64_t k = i % chunks * kInputColumns;
            context.kernels.pack_bytes(
                call.quantised.data() + t, std::min(kTile, call.n_tokens - t), k,
                static_cast<int>(std::min<std::int64_t>(kInputColumns, call.cols - k)),
                call.bytes + i);
        });
    }
}

std::size_t byte_scratch_bytes(std::span<const Call> calls) {
    int tiles = 0;
    for (const Call& call : calls)
        if (takes(call, Route::byte_tiles)) tiles = std::max(tiles, tiles_of(call.n_tokens));
    return static_cast<std::size_t>(tiles * kRowTiles * kResultNumbers) * sizeof(float);
}

void byte_panel(const Call& call, const Product& product, std::int64_t first, int n_rows,
                std::byte* memory) {
    for (int r = 0; r < n_rows; r += kPanelRows) {
        const BytePanel panel{call, product, first + r, std::min(kPanelRows, n_rows - r),
                              reinterpret_cast<float*>(memory)};
        for (std::int64_t k = 0; k < product.weight->cols; k += kInputColumns) panel.add_columns(k);
        panel.put();
    }
}

}  // namespace heft::op
