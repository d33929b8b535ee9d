// Many tokens in half precision: rows unpacked to bfloat16 tiles with their scales folded in, times
// activations that are packed once for all rows (kernel/types.h).
#include <algorithm>

#include "op/matmul_call.h"
#include "op/parallel.h"

namespace heft::op {

namespace {

using kernel::kTile;
using kernel::kTileCols;
using kernel::kTileNumbers;

constexpr int kCols = 512;  // of rows unpacked at once; those of 32 tokens stay in the first cache
constexpr int kTokens = 512;  // whose sums with a panel of rows stay in the second
constexpr int kMostRowTiles = kTilePanelRows / kTile;

constexpr std::int64_t tiles_of(std::int64_t n, int size) {
    return (n + size - 1) / size;
}

// Numbers from one tile of packed tokens to the next. An odd number of tiles, so that those that
// are used together do not compete for the same lines of the caches.
constexpr std::int64_t packed_stride(std::int64_t cols) {
    return (tiles_of(cols, kTileCols) | 1) * kTileNumbers;
}

constexpr std::size_t kUnpackedBytes =
    std::size_t{kMostRowTiles} * (kCols / kTileCols) * kTileNumbers * sizeof(std::uint16_t);

std::size_t sum_bytes(int n_tokens) {
    const std::int64_t token_tiles = tiles_of(std::min(n_tokens, kTokens), kTile);
    return static_cast<std::size_t>(token_tiles) * kMostRowTiles * kernel::kResultNumbers
           * sizeof(float);
}

// Into the second cache; a stretch too short for hardware to see it coming. Never dereferenced, so
// it may lie beyond what is there.
void prefetch(const void* at, std::int64_t bytes) {
    constexpr std::uintptr_t kLine = 64;
    const auto begin = reinterpret_cast<std::uintptr_t>(at);
    const auto end = begin + static_cast<std::uintptr_t>(bytes);
    for (std::uintptr_t line = begin / kLine * kLine; line < end; line += kLine)
        __builtin_prefetch(reinterpret_cast<const void*>(line), 0, 2);
}

// A panel's rows, some columns and tokens at a time.
struct TilePanel {
    const Call& call;
    const Product& product;
    std::int64_t first;
    int n_rows;
    std::uint16_t* unpacked[2];  // these columns and the next ones
    float* sums;                 // [token tile][row tile]

    int row_tiles() const { return static_cast<int>(tiles_of(n_rows, kTile)); }

    // Some columns of the panel's rows, to be unpacked.
    struct Columns {
        const TilePanel& panel;
        std::int64_t from;
        std::int64_t n_cols;
        std::uint16_t* to;

        // Rows that fill up the last tile are computed as the memory has them and never looked at.
        void unpack(int begin, int end) const {
            const Weight& w = *panel.product.weight;
            const DTypeInfo& info = dtype_info(w.type);
            const std::byte* at = w.data + (panel.first + begin) * w.row_stride
                                  + from / info.block * info.block_bytes;
            const std::int64_t bytes = n_cols / info.block * info.block_bytes;
            const std::int64_t row_of_tiles = tiles_of(n_cols, kTileCols) * kTileNumbers;
            for (int r = begin; r < end; ++r, at += w.row_stride) {
                prefetch(at + bytes, bytes);
                panel.call.context->kernels.unpack_tiles(
                    w.type, at, n_cols, to + r / kTile * row_of_tiles + r % kTile * kTileCols,
                    kTileNumbers);
            }
        }
        static void run(const void* columns, int begin, int end) noexcept {
            static_cast<const Columns*>(columns)->unpack(begin, end);
        }
    };

    // Where the results of some tokens go, to be brought near before they are written.
    struct Results {
        const float* at;
        std::int64_t stride;
        int n_rows;

        static void run(const void* results, int begin, int end) noexcept {
            const auto& r = *static_cast<const Results*>(results);
            for (int t = begin; t < end; ++t)
                prefetch(r.at + t * r.stride, r.n_rows * std::int64_t{sizeof(float)});
        }
    };

    Columns columns(std::int64_t from) const {
        return {*this, from, std::min<std::int64_t>(kCols, product.weight->cols - from),
                unpacked[from / kCols % 2]};
    }

    // Tokens t … t + n - 1, t a multiple of kTile.
    void multiply(std::int64_t t, int n) const {
        const Weight& w = *product.weight;
        const kernel::Table& kernels = call.context->kernels;
        const std::int64_t token_stride = packed_stride(w.cols);
        const auto token_tiles = static_cast<int>(tiles_of(n, kTile));
        const Results results{product.out + t * product.out_stride + first, product.out_stride,
                              n_rows};
        columns(0).unpack(0, n_rows);
        for (std::int64_t k = 0; k < w.cols; k += kCols) {
            const Columns now = columns(k);
            const Columns next = columns(std::min(k + kCols, w.cols));
            const kernel::WorkBeside beside = next.n_cols > 0
                                                  ? kernel::WorkBeside{Columns::run, &next, n_rows}
                                                  : kernel::WorkBeside{Results::run, &results, n};
            kernels.tile_product(
                {now.to, call.tiles + t / kTile * token_stride + k / kTileCols * kTileNumbers,
                 token_stride, sums, row_tiles(), token_tiles,
                 static_cast<int>(tiles_of(now.n_cols, kTileCols)), k != 0, beside});
        }
        const float* tile = sums;
        for (int i = 0; i < n; i += kTile)
            for (int r = 0; r < n_rows; r += kTile, tile += kernel::kResultNumbers)
                kernels.put_tile(tile, std::min(kTile, n_rows - r), std::min(kTile, n - i),
                                 product.out + (t + i) * product.out_stride + first + r,
                                 product.out_stride);
    }
};

}  // namespace

std::size_t packed_bytes(std::span<const Call> calls) {
    std::size_t bytes = 0;
    for (const Call& call : calls)
        if (takes(call, Route::tiles))
            bytes +=
                static_cast<std::size_t>(tiles_of(call.n_tokens, kTile) * packed_stride(call.cols))
                * sizeof(std::uint16_t);
    return bytes;
}

void pack(Context& context, std::span<Call> calls, Scratch& scratch) {
    for (Call& call : calls) {
        if (!takes(call, Route::tiles)) continue;
        call.tiles = scratch.take<std::uint16_t>(packed_bytes({&call, 1}) / sizeof(std::uint16_t));
        const std::int64_t stride = packed_stride(call.cols);
        for_each(context, static_cast<int>(tiles_of(call.n_tokens, kTile)), [&](int tile, int) {
            const int t = tile * kTile;
            context.kernels.pack_tiles(call.x + t * call.x_stride, call.x_stride,
                                       std::min(kTile, call.n_tokens - t), call.cols,
                                       call.tiles + tile * stride);
        });
    }
}

std::size_t tile_scratch_bytes(std::span<const Call> calls) {
    std::size_t bytes = 0;
    for (const Call& call : calls)
        if (takes(call, Route::tiles))
            bytes = std::max(bytes, 2 * kUnpackedBytes + sum_bytes(call.n_tokens));
    return bytes;
}

void tile_panel(const Call& call, const Product& product, std::int64_t first, int n_rows,
                std::byte* memory) {
    const TilePanel panel{call,
                          product,
                          first,
                          n_rows,
                          {reinterpret_cast<std::uint16_t*>(memory),
                           reinterpret_cast<std::uint16_t*>(memory + kUnpackedBytes)},
                          reinterpret_cast<float*>(memory + 2 * kUnpackedBytes)};
    for (int t = 0; t < call.n_tokens; t += kTokens)
        panel.multiply(t, std::min(kTokens, call.n_tokens - t));
}

}  // namespace heft::op
