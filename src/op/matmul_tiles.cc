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

// What of a panel is unpacked at once. With many tokens, as much as stays in the second cache,
// since all of them pass by; their activations for these columns stay in the first, 32 tokens at a
// time. With few, unpacking is most of the work, and what was unpacked stays in the first cache.
struct Portion {
    int rows;  // a multiple of 2 * kTile
    int cols;  // a multiple of kTileCols and of any type's blocks
};
constexpr Portion kWithMany = {kTilePanelRows, 512};
constexpr Portion kWithFew = {2 * kTile, 256};
constexpr int kFewTokens = 64;
constexpr int kTokens = 512;  // whose sums with a portion's rows stay in the second cache
constexpr int kMostRowTiles = kTilePanelRows / kTile;
// How many rows ahead of the one that is unpacked its columns are asked for: some hundred
// nanoseconds. Hardware does not see coming what lies in stretches this short.
constexpr int kRowsAhead = 12;

constexpr std::int64_t tiles_of(std::int64_t n, int size) {
    return (n + size - 1) / size;
}

// Numbers from one tile of packed tokens to the next. An odd number of tiles, so that those that
// are used together do not compete for the same lines of the caches.
constexpr std::int64_t packed_stride(std::int64_t cols) {
    return (tiles_of(cols, kTileCols) | 1) * kTileNumbers;
}

constexpr std::size_t kUnpackedBytes =
    std::size_t{kWithMany.rows} * kWithMany.cols * sizeof(std::uint16_t);

std::size_t sum_bytes(int n_tokens) {
    const std::int64_t token_tiles = tiles_of(std::min(n_tokens, kTokens), kTile);
    return static_cast<std::size_t>(token_tiles) * kMostRowTiles * kernel::kResultNumbers
           * sizeof(float);
}

// Into the second cache. Never dereferenced, so it may lie beyond what is there.
void prefetch(const void* at, std::int64_t bytes) {
    constexpr std::uintptr_t kLine = 64;
    const auto begin = reinterpret_cast<std::uintptr_t>(at);
    const auto end = begin + static_cast<std::uintptr_t>(bytes);
    for (std::uintptr_t line = begin / kLine * kLine; line < end; line += kLine)
        __builtin_prefetch(reinterpret_cast<const void*>(line), 0, 2);
}

// A panel's rows times some tokens.
struct TilePanel {
    const Call& call;
    const Product& product;
    std::int64_t first;
    int n_rows;
    std::uint16_t* unpacked[2];  // a piece and the next one
    float* sums;                 // of a portion's rows: [token tile][row tile]

    // A portion of the panel, or what is left of one.
    struct Piece {
        const TilePanel* panel;
        Portion portion;
        int row;  // of the panel
        std::int64_t col;
        int turn = 0;  // which memory it is unpacked to

        const Weight& weight() const { return *panel->product.weight; }
        int n_rows() const { return std::min(portion.rows, panel->n_rows - row); }
        std::int64_t n_cols() const {
            return std::min<std::int64_t>(portion.cols, weight().cols - col);
        }
        int row_tiles() const { return static_cast<int>(tiles_of(n_rows(), kTile)); }
        int column_tiles() const { return static_cast<int>(tiles_of(n_cols(), kTileCols)); }
        bool ends_rows() const { return col + portion.cols >= weight().cols; }
        bool is_last() const { return ends_rows() && row + portion.rows >= panel->n_rows; }
        Piece next() const {
            Piece out = *this;
            out.turn = 1 - turn;
            out.col = ends_rows() ? 0 : col + portion.cols;
            if (ends_rows()) out.row += portion.rows;
            return out;
        }
        std::uint16_t* tiles() const { return panel->unpacked[turn]; }

        const std::byte* stored() const {
            const Weight& w = weight();
            const DTypeInfo& info = dtype_info(w.type);
            return w.data + (panel->first + row) * w.row_stride
                   + col / info.block * info.block_bytes;
        }

        // Rows that fill up the last tile are computed as the memory has them and never looked at.
        void unpack(int begin, int end) const {
            const Weight& w = weight();
            const DTypeInfo& info = dtype_info(w.type);
            const std::int64_t bytes = n_cols() / info.block * info.block_bytes;
            const std::byte* const here = stored();
            const std::byte* const after = is_last() ? here : next().stored();
            const auto ask_for = [&](int r) {
                prefetch(
                    r < n_rows() ? here + r * w.row_stride : after + (r - n_rows()) * w.row_stride,
                    bytes);
            };
            for (int r = begin; r < end;) {
                const int in_tile = r % kTile;
                const int count = std::min(end - r, kTile - in_tile);
                for (int i = 0; i < count; ++i) ask_for(r + i + kRowsAhead);
                std::uint16_t* const tile = tiles() + r / kTile * column_tiles() * kTileNumbers;
                panel->call.context->kernels.unpack_tiles(
                    w.type, {here + r * w.row_stride, w.row_stride, count, n_cols(),
                             tile + in_tile * kTileCols, kTileNumbers});
                r += count;
            }
        }
        static void run(const void* piece, int begin, int end) noexcept {
            static_cast<const Piece*>(piece)->unpack(begin, end);
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

    // Tokens t … t + n - 1, t a multiple of kTile.
    void multiply(std::int64_t t, int n) const {
        const Results results{product.out + t * product.out_stride + first, product.out_stride,
                              n_rows};
        Piece now{this, n > kFewTokens ? kWithMany : kWithFew, 0, 0};
        now.unpack(0, now.n_rows());
        while (!now.is_last()) {
            const Piece next = now.next();
            multiply(now, t, n, {Piece::run, &next, next.n_rows()});
            now = next;
        }
        multiply(now, t, n, {Results::run, &results, n});
    }

  private:
    void multiply(const Piece& piece, std::int64_t t, int n,
                  const kernel::WorkBeside& beside) const {
        const kernel::Table& kernels = call.context->kernels;
        const std::int64_t token_stride = packed_stride(product.weight->cols);
        kernels.tile_product(
            {piece.tiles(),
             call.tiles + t / kTile * token_stride + piece.col / kTileCols * kTileNumbers,
             token_stride, sums, piece.row_tiles(), static_cast<int>(tiles_of(n, kTile)),
             piece.column_tiles(), piece.col != 0, beside});
        if (!piece.ends_rows()) return;
        const float* tile = sums;
        for (int i = 0; i < n; i += kTile)
            for (int r = 0; r < piece.n_rows(); r += kTile, tile += kernel::kResultNumbers)
                kernels.put_tile(tile, std::min(kTile, piece.n_rows() - r), std::min(kTile, n - i),
                                 product.out + (t + i) * product.out_stride + first + piece.row + r,
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
