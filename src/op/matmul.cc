#include "op/matmul.h"

#include <algorithm>
#include <atomic>

#include "base/check.h"

namespace heft::op {

namespace {

// Up to here each row is multiplied as it is stored; beyond, unpacking it once for all tokens pays.
// Integer products are so much cheaper than float ones that they stay ahead for longer (measured
// with AVX-512: equal at about 28 tokens for Q4_K and Q8_0).
constexpr int kFewTokensInFloat = 4;
constexpr int kFewTokensInInteger = 24;

using kernel::kStreams;

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kPanelFloats = std::size_t{kernel::kPanelRows} * kernel::kPanelCols;
constexpr std::int64_t kPageFloats = 1024;

constexpr std::size_t aligned(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// `bytes` of the context's scratch, aligned.
std::byte* take_scratch(Context& context, std::size_t bytes) {
    if (context.scratch.size() < bytes + kAlignment) context.scratch.resize(bytes + kAlignment);
    const auto at = reinterpret_cast<std::uintptr_t>(context.scratch.data());
    return context.scratch.data() + (aligned(at) - at);
}

struct Call {
    Context& context;
    std::span<const Product> products;
    const float* x;
    std::int64_t x_stride;
    int n_tokens;
    std::int64_t cols;
};

struct Rows {
    std::int64_t first;
    std::int64_t last;  // one past
};

// What one of `n_threads` threads does of a product, so that all threads read about the same number
// of bytes over all products and each reads few, long stretches.
class Shares {
  public:
    Shares(std::span<const Product> products, int n_threads) : n_threads_(n_threads) {
        for (const Product& p : products) total_ += bytes(*p.weight);
    }

    static std::int64_t bytes(const Weight& w) { return w.rows * row_bytes(w); }

    // `before`: bytes of the products before this one.
    Rows of(const Weight& w, std::int64_t before, int thread) const {
        return {row_at(w, before, boundary(thread)), row_at(w, before, boundary(thread + 1))};
    }

  private:
    std::int64_t boundary(int thread) const {
        return thread == n_threads_ ? total_ : total_ / n_threads_ * thread;
    }
    static std::int64_t row_at(const Weight& w, std::int64_t before, std::int64_t byte) {
        const std::int64_t size = row_bytes(w);
        return std::clamp((byte - before + size - 1) / size, std::int64_t{0}, w.rows);
    }
    static std::int64_t row_bytes(const Weight& w) {
        return std::max(w.row_stride, std::int64_t{1});
    }

    std::int64_t total_ = 0;
    int n_threads_;
};

std::vector<kernel::QuantisedRow> quantise(const Call& call, std::byte* scratch) {
    const auto n = static_cast<std::size_t>(call.cols);
    const std::size_t q_bytes = aligned(n);
    const std::size_t scale_bytes = aligned(n / 32 * sizeof(float));
    const std::size_t sum_bytes = aligned(n / 16 * sizeof(std::int16_t));
    std::vector<kernel::QuantisedRow> out;
    for (int t = 0; t < call.n_tokens; ++t) {
        auto* q = reinterpret_cast<std::int8_t*>(scratch);
        auto* scale = reinterpret_cast<float*>(scratch + q_bytes);
        auto* sum16 = reinterpret_cast<std::int16_t*>(scratch + q_bytes + scale_bytes);
        call.context.kernels.quantise_row(call.x + t * call.x_stride, call.cols, q, scale, sum16);
        out.push_back({q, scale, sum16});
        scratch += q_bytes + scale_bytes + sum_bytes;
    }
    return out;
}

std::size_t quantised_bytes(const Call& call) {
    const auto n = static_cast<std::size_t>(call.cols);
    return (aligned(n) + aligned(n / 32 * sizeof(float)) + aligned(n / 16 * sizeof(std::int16_t)))
           * static_cast<std::size_t>(call.n_tokens);
}

bool in_integers(const Call& call, const Weight& w) {
    return call.context.precision == Precision::fast && call.context.kernels.has_dot_int(w.type);
}

const void* row(const Weight& w, std::int64_t r) {
    return w.data + r * w.row_stride;
}

// One row, all tokens.
void few_tokens(const Call& call, std::span<const kernel::QuantisedRow> quantised,
                const Product& product, std::int64_t r) {
    const kernel::Table& kernels = call.context.kernels;
    const Weight& w = *product.weight;
    float out[kFewTokensInInteger];
    if (in_integers(call, w))
        kernels.dot_int(w.type, row(w, r), w.cols, quantised.data(), call.n_tokens, out);
    else
        kernels.dot(w.type, row(w, r), w.cols, call.x, call.x_stride, call.n_tokens, out);
    for (int t = 0; t < call.n_tokens; ++t) product.out[t * product.out_stride + r] = out[t];
}

// One token: kStreams far-apart rows at once. Reading several streams draws more of the memory's
// bandwidth than reading one.
void one_token(const Call& call, std::span<const kernel::QuantisedRow> quantised,
               const Product& product, Rows rows) {
    const kernel::Table& kernels = call.context.kernels;
    const Weight& w = *product.weight;
    const bool integers = in_integers(call, w);
    const std::int64_t segment = (rows.last - rows.first) / kStreams;
    for (std::int64_t i = rows.first; i < rows.first + segment; ++i) {
        const void* at[kStreams];
        for (int s = 0; s < kStreams; ++s) at[s] = row(w, i + s * segment);
        float out[kStreams];
        if (integers)
            kernels.dot_int_rows(w.type, at, kStreams, w.cols, quantised[0], out);
        else
            kernels.dot_rows(w.type, at, kStreams, w.cols, call.x, out);
        for (int s = 0; s < kStreams; ++s) product.out[i + s * segment] = out[s];
    }
    for (std::int64_t r = rows.first + kStreams * segment; r < rows.last; ++r)
        few_tokens(call, quantised, product, r);
}

void by_rows(const Call& call) {
    std::vector<kernel::QuantisedRow> quantised;
    const auto integers = [&call](const Product& p) { return in_integers(call, *p.weight); };
    if (std::any_of(call.products.begin(), call.products.end(), integers))
        quantised = quantise(call, take_scratch(call.context, quantised_bytes(call)));
    call.context.pool.run([&](int thread, int n_threads) {
        const Shares shares(call.products, n_threads);
        std::int64_t before = 0;
        for (const Product& product : call.products) {
            const Weight& w = *product.weight;
            const Rows rows = shares.of(w, before, thread);
            if (call.n_tokens == 1)
                one_token(call, quantised, product, rows);
            else
                for (std::int64_t r = rows.first; r < rows.last; ++r)
                    few_tokens(call, quantised, product, r);
            before += Shares::bytes(w);
        }
    });
}

std::int64_t panels(const Weight& w) {
    return (w.rows + kernel::kPanelRows - 1) / kernel::kPanelRows;
}

// kPanelRows rows times all tokens, kPanelCols columns at a time: unpacked into `floats`, which
// then stays in the nearest cache for all tokens.
void panel_product(const Call& call, const Product& product, std::int64_t panel, float* floats) {
    const kernel::Table& kernels = call.context.kernels;
    const Weight& w = *product.weight;
    const DTypeInfo& info = dtype_info(w.type);
    const std::int64_t first = panel * kernel::kPanelRows;
    const auto n_rows =
        static_cast<int>(std::min<std::int64_t>(kernel::kPanelRows, w.rows - first));
    for (std::int64_t k = 0; k < w.cols; k += kernel::kPanelCols) {
        const auto n_cols =
            static_cast<int>(std::min<std::int64_t>(kernel::kPanelCols, w.cols - k));
        const std::int64_t offset = k / info.block * info.block_bytes;
        for (int r = 0; r < n_rows; ++r)
            kernels.unpack(w.type, w.data + (first + r) * w.row_stride + offset, n_cols,
                           floats + r * kernel::kPanelCols);
        kernels.panel({floats, kernel::kPanelCols, n_rows, n_cols, call.x + k, call.x_stride,
                       call.n_tokens, product.out + first, product.out_stride, k != 0});
    }
}

// Rows of x that lie a multiple of the page size apart compete for the same few lines of the cache;
// a copy with a longer stride does not.
void spread_rows(Call& call, float* copy) {
    const std::int64_t stride = call.cols + static_cast<std::int64_t>(kAlignment / sizeof(float));
    for (int t = 0; t < call.n_tokens; ++t)
        std::copy_n(call.x + t * call.x_stride, call.cols, copy + t * stride);
    call.x = copy;
    call.x_stride = stride;
}

void by_panels(Call call) {
    const bool spread = call.x_stride % kPageFloats == 0;
    const auto n_threads = static_cast<std::size_t>(call.context.pool.size());
    const auto copied =
        spread ? static_cast<std::size_t>(call.n_tokens)
                     * static_cast<std::size_t>(call.cols + static_cast<std::int64_t>(kAlignment))
               : 0;
    auto* scratch = reinterpret_cast<float*>(
        take_scratch(call.context, (n_threads * kPanelFloats + copied) * sizeof(float)));
    if (spread) spread_rows(call, scratch + n_threads * kPanelFloats);
    std::atomic<std::int64_t> next{0};
    call.context.pool.run([&](int thread, int) {
        float* floats = scratch + static_cast<std::size_t>(thread) * kPanelFloats;
        std::int64_t before = 0;  // panels of the products before this one
        std::int64_t panel = next.fetch_add(1, std::memory_order_relaxed);
        for (const Product& product : call.products) {
            const std::int64_t count = panels(*product.weight);
            for (; panel < before + count; panel = next.fetch_add(1, std::memory_order_relaxed))
                panel_product(call, product, panel - before, floats);
            before += count;
        }
    });
}

}  // namespace

void matmul(Context& context, std::span<const Product> products, const float* x,
            std::int64_t x_stride, int n_tokens) {
    if (products.empty() || n_tokens == 0) return;
    const std::int64_t cols = products.front().weight->cols;
    for (const Product& product : products) HEFT_CHECK(product.weight->cols == cols);
    const Call call{context, products, x, x_stride, n_tokens, cols};
    const auto integers = [&call](const Product& p) { return in_integers(call, *p.weight); };
    const bool all_integers = std::all_of(products.begin(), products.end(), integers);
    if (n_tokens <= (all_integers ? kFewTokensInInteger : kFewTokensInFloat))
        by_rows(call);
    else
        by_panels(call);
}

}  // namespace heft::op
