// Few tokens: every row as it is stored, read once.
#include <algorithm>
#include <atomic>

#include "op/matmul_call.h"

namespace heft::op {

namespace {

using kernel::kStreams;

struct Rows {
    std::int64_t first;
    std::int64_t last;  // one past
};

// Bytes of all products of some calls, one after the other.
struct Stretch {
    std::int64_t first;
    std::int64_t last;  // one past
};

// What threads do of products. First each reads a long stretch of its own, all about as many bytes;
// then whoever is done takes the next of what is left, less and less at a time, so that they end
// together though one of them is slower.
class Shares {
  public:
    Shares(std::span<const Call> calls, int n_threads) : n_threads_(n_threads) {
        for (const Call& call : calls)
            for (const Product& p : call.products) total_ += bytes(*p.weight);
        own_ = total_ / n_threads / 2;
        next_ = own_ * n_threads;
    }

    static std::int64_t bytes(const Weight& w) { return w.rows * row_bytes(w); }

    Stretch own(int thread) const { return {own_ * thread, own_ * (thread + 1)}; }

    // Nothing when nothing is left.
    Stretch next() {
        std::int64_t first = next_.load(std::memory_order_relaxed);
        while (
            !next_.compare_exchange_weak(first, end_of_piece(first), std::memory_order_relaxed)) {}
        return {first, end_of_piece(first)};
    }

    // `before`: bytes of the products before this one.
    static Rows of(const Weight& w, std::int64_t before, Stretch stretch) {
        return {row_at(w, before, stretch.first), row_at(w, before, stretch.last)};
    }

  private:
    // Some microseconds of reading: about a hundred times what handing it out costs.
    static constexpr std::int64_t kLeast = 1 << 17;

    std::int64_t end_of_piece(std::int64_t first) const {
        return std::min(total_, first + std::max(kLeast, (total_ - first) / n_threads_ / 2));
    }
    static std::int64_t row_at(const Weight& w, std::int64_t before, std::int64_t byte) {
        const std::int64_t size = row_bytes(w);
        return std::clamp((byte - before + size - 1) / size, std::int64_t{0}, w.rows);
    }
    static std::int64_t row_bytes(const Weight& w) {
        return std::max(w.row_stride, std::int64_t{1});
    }

    std::int64_t total_ = 0;
    std::int64_t own_ = 0;
    std::atomic<std::int64_t> next_{0};
    int n_threads_;
};

const void* row(const Weight& w, std::int64_t r) {
    return w.data + r * w.row_stride;
}

// Some rows, all tokens: rows `apart` of each other from the first on.
struct FewRows {
    std::int64_t first;
    int count;  // at most kStreams
    std::int64_t apart;
};

void multiply(const Call& call, const Product& product, FewRows rows) {
    const kernel::Table& kernels = call.context->kernels;
    const Weight& w = *product.weight;
    const int prefetch = call.context->tuning.prefetch;
    const void* at[kStreams];
    for (int r = 0; r < rows.count; ++r) at[r] = row(w, rows.first + r * rows.apart);
    float out[kMostFewTokens * kStreams];  // [token][row]
    const std::int64_t rows_behind = w.rows - 1 - (rows.first + (rows.count - 1) * rows.apart);
    if (route(call, w) == Route::integers)
        kernels.dot_int(w.type, {at, rows.count, w.cols, call.turned.data(), call.n_tokens,
                                 prefetch, out, rows_behind * w.row_stride});
    else if (call.n_tokens == 1)
        kernels.dot_rows(w.type, at, rows.count, w.cols, call.x, prefetch, out);
    else
        kernels.dot(w.type, at[0], w.cols, call.x, call.x_stride, call.n_tokens, out);
    const float* from = out;
    for (int t = 0; t < call.n_tokens; ++t)
        for (int r = 0; r < rows.count; ++r)
            product.out[t * product.out_stride + rows.first + r * rows.apart] = *from++;
}

// Several far-apart rows at once: reading several streams draws more of the memory's bandwidth than
// reading one, and in integers they share what is read of the tokens.
void multiply(const Call& call, const Product& product, Rows rows) {
    const bool integers = route(call, *product.weight) == Route::integers;
    const int streams = call.n_tokens == 1 ? call.context->tuning.streams : integers ? kStreams : 1;
    const std::int64_t segment = (rows.last - rows.first) / streams;
    for (std::int64_t i = rows.first; i < rows.first + segment; ++i)
        multiply(call, product, FewRows{i, streams, segment});
    for (std::int64_t r = rows.first + streams * segment; r < rows.last; ++r)
        multiply(call, product, FewRows{r, 1, 0});
}

void multiply(std::span<const Call> calls, Stretch stretch) {
    std::int64_t before = 0;
    for (const Call& call : calls)
        for (const Product& product : call.products) {
            const Weight& w = *product.weight;
            multiply(call, product, Shares::of(w, before, stretch));
            before += Shares::bytes(w);
        }
}

}  // namespace

void by_rows(Context& context, std::span<Call> calls) {
    Scratch scratch(context, quantised_bytes(calls));
    quantise(context, calls, scratch);
    Shares shares(calls, context.pool.size());
    context.pool.run([&](int thread, int) {
        multiply(calls, shares.own(thread));
        for (Stretch s = shares.next(); s.first < s.last; s = shares.next()) multiply(calls, s);
    });
}

}  // namespace heft::op
