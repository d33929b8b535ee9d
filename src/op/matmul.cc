#include "op/matmul.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <vector>

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

// Matrices that multiply the same input, ready to be computed.
struct Call {
    Context* context;
    std::span<const Product> products;
    const float* x;
    std::int64_t x_stride;
    int n_tokens;
    std::int64_t cols;
    std::vector<kernel::QuantisedRow> quantised = {};
};

struct Rows {
    std::int64_t first;
    std::int64_t last;  // one past
};

// What one of `n_threads` threads does of a product, so that all threads read about the same number
// of bytes over all products and each reads few, long stretches.
class Shares {
  public:
    Shares(std::span<const Call> calls, int n_threads) : n_threads_(n_threads) {
        for (const Call& call : calls)
            for (const Product& p : call.products) total_ += bytes(*p.weight);
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

std::size_t quantised_bytes(const Call& call) {
    const auto n = static_cast<std::size_t>(call.cols);
    return (aligned(n) + aligned(n / 32 * sizeof(float)) + aligned(n / 16 * sizeof(std::int16_t)))
           * static_cast<std::size_t>(call.n_tokens);
}

// Into quantised_bytes(call) of scratch.
void quantise(Call& call, std::byte* scratch) {
    const auto n = static_cast<std::size_t>(call.cols);
    const std::size_t q_bytes = aligned(n);
    const std::size_t scale_bytes = aligned(n / 32 * sizeof(float));
    const std::size_t sum_bytes = aligned(n / 16 * sizeof(std::int16_t));
    for (int t = 0; t < call.n_tokens; ++t) {
        auto* q = reinterpret_cast<std::int8_t*>(scratch);
        auto* scale = reinterpret_cast<float*>(scratch + q_bytes);
        auto* sum16 = reinterpret_cast<std::int16_t*>(scratch + q_bytes + scale_bytes);
        call.context->kernels.quantise_row(call.x + t * call.x_stride, call.cols, q, scale, sum16);
        call.quantised.push_back({q, scale, sum16});
        scratch += q_bytes + scale_bytes + sum_bytes;
    }
}

bool in_integers(const Call& call, const Weight& w) {
    return call.context->precision == Precision::fast && call.context->kernels.has_dot_int(w.type);
}

bool any_in_integers(const Call& call) {
    return std::any_of(call.products.begin(), call.products.end(),
                       [&call](const Product& p) { return in_integers(call, *p.weight); });
}

const void* row(const Weight& w, std::int64_t r) {
    return w.data + r * w.row_stride;
}

// One row, all tokens.
void few_tokens(const Call& call, const Product& product, std::int64_t r) {
    const kernel::Table& kernels = call.context->kernels;
    const Weight& w = *product.weight;
    float out[kFewTokensInInteger];
    if (in_integers(call, w))
        kernels.dot_int(w.type, row(w, r), w.cols, call.quantised.data(), call.n_tokens, out);
    else
        kernels.dot(w.type, row(w, r), w.cols, call.x, call.x_stride, call.n_tokens, out);
    for (int t = 0; t < call.n_tokens; ++t) product.out[t * product.out_stride + r] = out[t];
}

// One token: kStreams far-apart rows at once. Reading several streams draws more of the memory's
// bandwidth than reading one.
void one_token(const Call& call, const Product& product, Rows rows) {
    const kernel::Table& kernels = call.context->kernels;
    const Weight& w = *product.weight;
    const bool integers = in_integers(call, w);
    const std::int64_t segment = (rows.last - rows.first) / kStreams;
    for (std::int64_t i = rows.first; i < rows.first + segment; ++i) {
        const void* at[kStreams];
        for (int s = 0; s < kStreams; ++s) at[s] = row(w, i + s * segment);
        float out[kStreams];
        if (integers)
            kernels.dot_int_rows(w.type, at, kStreams, w.cols, call.quantised[0], out);
        else
            kernels.dot_rows(w.type, at, kStreams, w.cols, call.x, out);
        for (int s = 0; s < kStreams; ++s) product.out[i + s * segment] = out[s];
    }
    for (std::int64_t r = rows.first + kStreams * segment; r < rows.last; ++r)
        few_tokens(call, product, r);
}

void by_rows(Context& context, std::span<Call> calls) {
    std::size_t bytes = 0;
    for (const Call& call : calls) bytes += any_in_integers(call) ? quantised_bytes(call) : 0;
    std::byte* scratch = take_scratch(context, bytes);
    for (Call& call : calls) {
        if (!any_in_integers(call)) continue;
        quantise(call, scratch);
        scratch += quantised_bytes(call);
    }
    context.pool.run([&](int thread, int n_threads) {
        const Shares shares(calls, n_threads);
        std::int64_t before = 0;
        for (const Call& call : calls)
            for (const Product& product : call.products) {
                const Weight& w = *product.weight;
                const Rows rows = shares.of(w, before, thread);
                if (call.n_tokens == 1)
                    one_token(call, product, rows);
                else
                    for (std::int64_t r = rows.first; r < rows.last; ++r)
                        few_tokens(call, product, r);
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
    const kernel::Table& kernels = call.context->kernels;
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

// The copied floats that a call needs.
std::size_t spread_floats(const Call& call) {
    if (call.x_stride % kPageFloats != 0) return 0;
    return static_cast<std::size_t>(call.n_tokens)
           * static_cast<std::size_t>(call.cols + static_cast<std::int64_t>(kAlignment));
}

void by_panels(Context& context, std::span<Call> calls) {
    const auto n_threads = static_cast<std::size_t>(context.pool.size());
    std::size_t copied = 0;
    for (const Call& call : calls) copied += spread_floats(call);
    auto* scratch = reinterpret_cast<float*>(
        take_scratch(context, (n_threads * kPanelFloats + copied) * sizeof(float)));
    float* copy = scratch + n_threads * kPanelFloats;
    for (Call& call : calls) {
        const std::size_t floats = spread_floats(call);
        if (floats > 0) spread_rows(call, copy);
        copy += floats;
    }
    std::atomic<std::int64_t> next{0};
    context.pool.run([&](int thread, int) {
        float* floats = scratch + static_cast<std::size_t>(thread) * kPanelFloats;
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

bool has_few_tokens(const Call& call) {
    const auto integers = [&call](const Product& p) { return in_integers(call, *p.weight); };
    const bool all = std::all_of(call.products.begin(), call.products.end(), integers);
    return call.n_tokens <= (all ? kFewTokensInInteger : kFewTokensInFloat);
}

// x with its columns in the order in which a matrix stores its own.
std::vector<float> gather(const Group& group, std::int64_t cols, const std::int32_t* order) {
    std::vector<float> out(static_cast<std::size_t>(cols)
                           * static_cast<std::size_t>(group.n_tokens));
    float* to = out.data();
    for (int t = 0; t < group.n_tokens; ++t, to += cols)
        for (std::int64_t k = 0; k < cols; ++k) to[k] = group.x[t * group.x_stride + order[k]];
    return out;
}

// The calls that groups come to: one each, and one more for every further order of the input.
class Calls {
  public:
    Calls(Context& context, std::span<const Group> groups) {
        for (const Group& group : groups)
            if (!group.products.empty() && group.n_tokens > 0) add(context, group);
        middle_ = std::stable_partition(calls_.begin(), calls_.end(), has_few_tokens);
    }

    std::span<Call> few() { return {calls_.begin(), middle_}; }
    std::span<Call> many() { return {middle_, calls_.end()}; }

  private:
    void add(Context& context, const Group& group) {
        const std::int64_t cols = group.products.front().weight->cols;
        bool ordered = false;
        for (const Product& product : group.products) {
            HEFT_CHECK(product.weight->cols == cols);
            ordered = ordered || product.weight->input_order != nullptr;
        }
        const Call call{&context, group.products, group.x, group.x_stride, group.n_tokens, cols};
        if (ordered)
            add_by_order(call, group);
        else
            calls_.push_back(call);
    }

    void add_by_order(const Call& call, const Group& group) {
        auto& products = products_.emplace_back(group.products.begin(), group.products.end());
        for (auto begin = products.begin(); begin != products.end();) {
            const std::int32_t* const common = begin->weight->input_order;
            const auto end = std::stable_partition(begin, products.end(), [&](const Product& p) {
                return p.weight->input_order == common;
            });
            Call part = call;
            part.products = {begin, end};
            if (common != nullptr) {
                part.x = gathered_.emplace_back(gather(group, call.cols, common)).data();
                part.x_stride = call.cols;
            }
            calls_.push_back(std::move(part));
            begin = end;
        }
    }

    std::vector<Call> calls_;
    std::vector<Call>::iterator middle_;
    std::deque<std::vector<Product>> products_;
    std::deque<std::vector<float>> gathered_;
};

}  // namespace

void matmul(Context& context, std::span<const Group> groups) {
    Calls calls(context, groups);
    if (!calls.few().empty()) by_rows(context, calls.few());
    if (!calls.many().empty()) by_panels(context, calls.many());
}

void matmul(Context& context, std::span<const Product> products, const float* x,
            std::int64_t x_stride, int n_tokens) {
    const Group group{products, x, x_stride, n_tokens};
    matmul(context, {&group, 1});
}

}  // namespace heft::op
