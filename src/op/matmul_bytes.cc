// Quantised rows times quantised activations of many tokens, which are packed once for all rows and
// lie so that lanes are tokens (kernel/types.h, ByteInput).
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

// Half a tile of tokens fills it when each has two lanes: pairs of rows are multiplied at once.
int lanes(const Call& call) {
    return call.n_tokens <= kTile / 2 ? 2 : 1;
}

constexpr int kRowTiles = kPanelRows / kTile;
constexpr int kTokens = 512;  // whose sums with some panels stay in the second cache
// Up to here the activations stay in the second cache whatever is read beside them, and rows are
// best read from one end to the other.
constexpr int kNearTokens = 64;

constexpr std::size_t panel_sums(int n_tokens) {
    return static_cast<std::size_t>(tiles_of(std::min(n_tokens, kTokens))) * kRowTiles
           * kResultNumbers;
}

// Some panels of rows times at most kTokens tokens, of which `token`, a multiple of kTile, is the
// first. A chunk of columns at a time: while all panels pass by, its activations stay near.
struct BytePanels {
    const Call& call;
    const Product& product;
    std::int64_t first;
    int n_rows;
    int token;
    int n_tokens;
    float* sums;  // [panel][token tile][row tile]

    void multiply() const {
        for (std::int64_t k = 0; k < product.weight->cols; k += kInputColumns)
            for (int r = 0; r < n_rows; r += kPanelRows) add_columns(r, k);
        if (lanes(call) == 2) {
            for (int r = 0; r < n_rows; r += kPanelRows) put_pairs(r);
            return;
        }
        for (int t = 0; t < n_tokens; t += kTile)
            for (int r = 0; r < n_rows; r += kTile) put(r, t);
    }

  private:
    void add_columns(int row, std::int64_t k) const {
        const Weight& w = *product.weight;
        const DTypeInfo& info = dtype_info(w.type);
        const auto offset = [&](std::int64_t col) { return col / info.block * info.block_bytes; };
        const std::int64_t end = std::min(k + kInputColumns, w.cols);
        // What is read next: the next panel's columns, or the first panel's next ones.
        std::int64_t next = kPanelRows * w.row_stride;
        if (row + kPanelRows >= n_rows)
            next = end < w.cols ? offset(end - k) - row * w.row_stride : next - offset(k);
        const kernel::BytePanelProduct panel{
            w.data + (first + row) * w.row_stride + offset(k),
            w.row_stride,
            std::min(kPanelRows, n_rows - row),
            static_cast<int>(end - k),
            next,
            call.bytes + token / kTile * chunks_of(w.cols) + k / kInputColumns,
            chunks_of(w.cols),
            tiles_of(n_tokens),
            sums_of(row),
            k != 0,
            lanes(call)};
        call.context->kernels.int_panel(w.type, panel);
    }

    void put(int row, int t) const {
        const float* const tile =
            sums_of(row) + (t / kTile * kRowTiles + row % kPanelRows / kTile) * kResultNumbers;
        call.context->kernels.put_tile(
            tile, std::min(kTile, n_rows - row), std::min(kTile, n_tokens - t),
            product.out + (token + t) * product.out_stride + first + row, product.out_stride);
    }

    // Of a panel whose rows were multiplied in pairs.
    void put_pairs(int row) const {
        const float* const pairs = sums_of(row);
        const int count = std::min(kPanelRows, n_rows - row);
        for (int t = 0; t < n_tokens; ++t) {
            float* const to = product.out + t * product.out_stride + first + row;
            for (int r = 0; r < count; ++r) to[r] = pairs[r / 2 * kTile + 2 * t + r % 2];
        }
    }

    float* sums_of(int row) const {
        return sums + static_cast<std::size_t>(row / kPanelRows) * panel_sums(n_tokens);
    }
};

}  // namespace

std::size_t byte_input_bytes(std::span<const Call> calls) {
    std::int64_t chunks = 0;
    for (const Call& call : calls)
        if (takes(call, Route::integers)) chunks += tiles_of(call.n_tokens) * chunks_of(call.cols);
    return static_cast<std::size_t>(chunks) * sizeof(kernel::ByteInput);
}

void pack_bytes(Context& context, std::span<Call> calls, Scratch& scratch) {
    for (Call& call : calls) {
        if (!takes(call, Route::integers)) continue;
        call.bytes = scratch.take<kernel::ByteInput>(byte_input_bytes({&call, 1})
                                                     / sizeof(kernel::ByteInput));
        const std::int64_t chunks = chunks_of(call.cols);
        for_each(context, tiles_of(call.n_tokens) * static_cast<int>(chunks), [&](int i, int) {
            const auto t = static_cast<int>(i / chunks) * kTile;
            const std::int64_t k = i % chunks * kInputColumns;
            context.kernels.pack_bytes(
                call.quantised.data() + t, std::min(kTile, call.n_tokens - t), lanes(call), k,
                static_cast<int>(std::min<std::int64_t>(kInputColumns, call.cols - k)),
                call.bytes + i);
        });
    }
}

std::size_t byte_scratch_bytes(std::span<const Call> calls) {
    std::size_t sums = 0;
    for (const Call& call : calls)
        if (takes(call, Route::integers)) sums = std::max(sums, panel_sums(call.n_tokens));
    return sums * (kBytePanelRows / kPanelRows) * sizeof(float);
}

void byte_panels(const Call& call, const Product& product, std::int64_t first, int n_rows,
                 std::byte* memory) {
    const int height = call.n_tokens > kNearTokens ? n_rows : kPanelRows;
    for (int t = 0; t < call.n_tokens; t += kTokens)
        for (int r = 0; r < n_rows; r += height)
            BytePanels{call,
                       product,
                       first + r,
                       std::min(height, n_rows - r),
                       t,
                       std::min(kTokens, call.n_tokens - t),
                       reinterpret_cast<float*>(memory)}
                .multiply();
}

}  // namespace heft::op
