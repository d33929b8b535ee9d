// Few tokens: every row as it is stored, read once.
#include <algorithm>

#include "op/matmul_call.h"

namespace heft::op {

namespace {

using kernel::kStreams;

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

const void* row(const Weight& w, std::int64_t r) {
    return w.data + r * w.row_stride;
}

// One row, all tokens.
void few_tokens(const Call& call, const Product& product, std::int64_t r) {
    const kernel::Table& kernels = call.context->kernels;
    const Weight& w = *product.weight;
    float out[kMostFewTokens];
    if (route(call, w) == Route::integers)
        kernels.dot_int(w.type, row(w, r), w.cols, call.quantised.data(), call.n_tokens, out);
    else
        kernels.dot(w.type, row(w, r), w.cols, call.x, call.x_stride, call.n_tokens, out);
    for (int t = 0; t < call.n_tokens; ++t) product.out[t * product.out_stride + r] = out[t];
}

// One token: several far-apart rows at once. Reading several streams draws more of the memory's
// bandwidth than reading one.
void one_token(const Call& call, const Product& product, Rows rows) {
    const kernel::Table& kernels = call.context->kernels;
    const Weight& w = *product.weight;
    const bool integers = route(call, w) == Route::integers;
    const int streams = call.context->tuning.streams;
    const std::int64_t segment = (rows.last - rows.first) / streams;
    for (std::int64_t i = rows.first; i < rows.first + segment; ++i) {
        const void* at[kStreams];
        for (int s = 0; s < streams; ++s) at[s] = row(w, i + s * segment);
        float out[kStreams];
        if (integers)
            kernels.dot_int_rows(w.type, at, streams, w.cols, call.quantised[0], out);
        else
            kernels.dot_rows(w.type, at, streams, w.cols, call.x, out);
        for (int s = 0; s < streams; ++s) product.out[i + s * segment] = out[s];
    }
    for (std::int64_t r = rows.first + streams * segment; r < rows.last; ++r)
        few_tokens(call, product, r);
}

}  // namespace

void by_rows(Context& context, std::span<Call> calls) {
    Scratch scratch(context, quantised_bytes(calls));
    quantise(context, calls, scratch);
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

}  // namespace heft::op
