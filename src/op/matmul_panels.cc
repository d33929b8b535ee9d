// Many tokens: some rows and columns at a time, decoded once for all tokens.
#include <algorithm>
#include <atomic>

#include "op/matmul_call.h"

namespace heft::op {

namespace {

constexpr std::size_t kPanelFloats = std::size_t{kernel::kPanelRows} * kernel::kPanelCols;
constexpr int kPanelTokens = 512;  // whose sums with a panel's rows stay in the second cache
constexpr std::size_t kSumFloats = std::size_t{kPanelTokens} * kernel::kPanelRows;
constexpr std::int64_t kPageFloats = 1024;
constexpr std::int64_t kLineFloats = 16;

// kPanelRows rows times some tokens, kPanelCols columns at a time: decoded once, they stay in the
// nearest cache for all tokens. Sums are kept close together until they are whole: results of
// neighbouring tokens lie so far apart that they would take each other's place in the caches.
struct RowPanel {
    const Call& call;
    const Product& product;
    std::int64_t first;
    int n_rows;
    float* sums;    // [kPanelTokens][kPanelRows]
    float* floats;  // room for a panel of any type

    void multiply(int token, int n_tokens) const {
        const Weight& w = *product.weight;
        for (std::int64_t k = 0; k < w.cols; k += kernel::kPanelCols)
            add_columns(k, static_cast<int>(std::min<std::int64_t>(kernel::kPanelCols, w.cols - k)),
                        token, n_tokens);
        for (int t = 0; t < n_tokens; ++t)
            std::copy_n(sums + t * kernel::kPanelRows, n_rows,
                        product.out + (token + t) * product.out_stride + first);
    }

  private:
    void add_columns(std::int64_t k, int n_cols, int token, int n_tokens) const {
        const kernel::Table& kernels = call.context->kernels;
        const Weight& w = *product.weight;
        const DTypeInfo& info = dtype_info(w.type);
        const std::byte* at = w.data + first * w.row_stride + k / info.block * info.block_bytes;
        for (int r = 0; r < n_rows; ++r)
            kernels.unpack(w.type, at + r * w.row_stride, n_cols, floats + r * kernel::kPanelCols);
        kernels.panel({floats, kernel::kPanelCols, n_rows, n_cols,
                       call.x + token * call.x_stride + k, call.x_stride, n_tokens, sums,
                       kernel::kPanelRows, k != 0});
    }
};

void row_panel(const Call& call, const Product& product, std::int64_t first, int n_rows,
               float* memory) {
    const RowPanel panel{call, product, first, n_rows, memory, memory + kSumFloats};
    for (int t = 0; t < call.n_tokens; t += kPanelTokens)
        panel.multiply(t, std::min(kPanelTokens, call.n_tokens - t));
}

// Rows of x that lie a multiple of the page size apart compete for the same few lines of the cache;
// a copy with a longer stride does not.
void spread_rows(Call& call, float* copy) {
    const std::int64_t stride = call.cols + kLineFloats;
    for (int t = 0; t < call.n_tokens; ++t)
        std::copy_n(call.x + t * call.x_stride, call.cols, copy + t * stride);
    call.x = copy;
    call.x_stride = stride;
}

// The copied floats that a call needs.
std::size_t spread_floats(const Call& call) {
    if (!takes(call, Route::floats) || call.x_stride % kPageFloats != 0) return 0;
    return static_cast<std::size_t>(call.n_tokens)
           * static_cast<std::size_t>(call.cols + kLineFloats);
}

// Rows that a thread takes at once: as many as may be without leaving threads idle.
class Heights {
  public:
    Heights(std::span<const Call> calls, int n_threads) {
        constexpr std::int64_t kTurns = 4;  // of each thread, at least
        std::int64_t rows = 0;
        for (const Call& call : calls)
            for (const Product& product : call.products)
                if (most(call, *product.weight) > kernel::kPanelRows) rows += product.weight->rows;
        share_ = std::max<std::int64_t>(rows / (kTurns * n_threads) / kernel::kPanelRows, 1)
                 * kernel::kPanelRows;
    }
    int of(const Call& call, const Weight& w) const {
        return static_cast<int>(std::min<std::int64_t>(share_, most(call, w)));
    }

  private:
    static int most(const Call& call, const Weight& w) {
        switch (route(call, w)) {
            case Route::tiles: return kTilePanelRows;
            case Route::integers: return kBytePanelRows;
            case Route::floats: return kernel::kPanelRows;
        }
        return kernel::kPanelRows;
    }
    std::int64_t share_;
};

void some_rows(const Call& call, const Product& product, std::int64_t first, int height,
               std::byte* memory) {
    const Weight& w = *product.weight;
    const auto n_rows = static_cast<int>(std::min<std::int64_t>(height, w.rows - first));
    switch (route(call, w)) {
        case Route::tiles: return tile_panel(call, product, first, n_rows, memory);
        case Route::integers: return byte_panels(call, product, first, n_rows, memory);
        case Route::floats:
            return row_panel(call, product, first, n_rows, reinterpret_cast<float*>(memory));
    }
}

}  // namespace

void by_panels(Context& context, std::span<Call> calls) {
    const auto n_threads = static_cast<std::size_t>(context.pool.size());
    const std::size_t memory =
        Scratch::aligned(std::max({(kSumFloats + kPanelFloats) * sizeof(float),
                                   tile_scratch_bytes(calls), byte_scratch_bytes(calls)}));
    std::size_t bytes =
        quantised_bytes(calls) + packed_bytes(calls) + byte_input_bytes(calls) + n_threads * memory;
    for (const Call& call : calls) bytes += Scratch::aligned(spread_floats(call) * sizeof(float));
    Scratch scratch(context, bytes);
    auto* memory_of_threads = scratch.take<std::byte>(n_threads * memory);
    quantise(context, calls, scratch);
    pack(context, calls, scratch);
    pack_bytes(context, calls, scratch);
    for (Call& call : calls)
        if (const std::size_t floats = spread_floats(call); floats > 0)
            spread_rows(call, scratch.take<float>(floats));
    const Heights heights(calls, context.pool.size());
    std::atomic<std::int64_t> next{0};
    context.pool.run([&](int thread, int) {
        std::byte* const mine = memory_of_threads + static_cast<std::size_t>(thread) * memory;
        std::int64_t before = 0;  // panels of the products before this one
        std::int64_t panel = next.fetch_add(1, std::memory_order_relaxed);
        for (const Call& call : calls)
            for (const Product& product : call.products) {
                const int height = heights.of(call, *product.weight);
                const std::int64_t count = (product.weight->rows + height - 1) / height;
                for (; panel < before + count; panel = next.fetch_add(1, std::memory_order_relaxed))
                    some_rows(call, product, (panel - before) * height, height, mine);
                before += count;
            }
    });
}

}  // namespace heft::op
