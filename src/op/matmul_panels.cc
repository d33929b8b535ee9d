// Many tokens: some rows and columns at a time, decoded once for all tokens.
#include <algorithm>
#include <atomic>

#include "op/matmul_call.h"

namespace heft::op {

namespace {

constexpr std::size_t kPanelFloats = std::size_t{kernel::kPanelRows} * kernel::kPanelCols;
constexpr std::int64_t kPageFloats = 1024;
constexpr std::int64_t kLineFloats = 16;

std::int64_t panels(const Weight& w) {
    return (w.rows + kernel::kPanelRows - 1) / kernel::kPanelRows;
}

// kPanelRows rows times all tokens, kPanelCols columns at a time: decoded once, they stay in the
// nearest cache for all tokens. `floats` is room for a panel of a type that is multiplied in
// floats.
void panel_product(const Call& call, const Product& product, std::int64_t panel, float* floats) {
    const kernel::Table& kernels = call.context->kernels;
    const Weight& w = *product.weight;
    const DTypeInfo& info = dtype_info(w.type);
    const bool integers = in_integers(call, w);
    const std::int64_t first = panel * kernel::kPanelRows;
    const auto n_rows =
        static_cast<int>(std::min<std::int64_t>(kernel::kPanelRows, w.rows - first));
    for (std::int64_t k = 0; k < w.cols; k += kernel::kPanelCols) {
        const auto n_cols =
            static_cast<int>(std::min<std::int64_t>(kernel::kPanelCols, w.cols - k));
        const std::byte* at = w.data + first * w.row_stride + k / info.block * info.block_bytes;
        if (integers) {
            kernels.int_panel(
                w.type, {at, w.row_stride, n_rows, n_cols, call.quantised.data(), k, call.n_tokens,
                         product.out + first, product.out_stride, k != 0});
            continue;
        }
        for (int r = 0; r < n_rows; ++r)
            kernels.unpack(w.type, at + r * w.row_stride, n_cols, floats + r * kernel::kPanelCols);
        kernels.panel({floats, kernel::kPanelCols, n_rows, n_cols, call.x + k, call.x_stride,
                       call.n_tokens, product.out + first, product.out_stride, k != 0});
    }
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
    const bool in_floats =
        std::any_of(call.products.begin(), call.products.end(),
                    [&](const Product& p) { return !in_integers(call, *p.weight); });
    if (!in_floats || call.x_stride % kPageFloats != 0) return 0;
    return static_cast<std::size_t>(call.n_tokens)
           * static_cast<std::size_t>(call.cols + kLineFloats);
}

}  // namespace

void by_panels(Context& context, std::span<Call> calls) {
    const auto n_threads = static_cast<std::size_t>(context.pool.size());
    std::size_t bytes = quantised_bytes(calls) + n_threads * kPanelFloats * sizeof(float);
    for (const Call& call : calls) bytes += Scratch::aligned(spread_floats(call) * sizeof(float));
    Scratch scratch(context, bytes);
    auto* panels_of_threads = scratch.take<float>(n_threads * kPanelFloats);
    quantise(context, calls, scratch);
    for (Call& call : calls)
        if (const std::size_t floats = spread_floats(call); floats > 0)
            spread_rows(call, scratch.take<float>(floats));
    std::atomic<std::int64_t> next{0};
    context.pool.run([&](int thread, int) {
        float* floats = panels_of_threads + static_cast<std::size_t>(thread) * kPanelFloats;
        std::int64_t before = 0;  // panels of the products before this one
        std::int64_t panel = next.fetch_add(1, std::memory_order_relaxed);
        for (const Call& call : calls)
            for (const Product& product : call.products) {
                const std::int64_t count = panels(*product.weight);
                for (; panel < before + count; panel = next.fetch_add(1, std::memory_order_relaxed))
                    panel_product(call, product, panel - before, floats);
                before += count;
            }
    });
}

}  // namespace heft::op
