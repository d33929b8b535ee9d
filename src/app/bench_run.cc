#include "app/bench_run.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"

namespace heft::app {

namespace {

constexpr int kChunk = 512;  // prompt tokens computed at once

// Positions `from` … `to` - 1 of one sequence to another. Speed does not depend on what they hold,
// but memory that was never written would not be read from memory.
void copy_positions(const kv::Cache& source, const kv::Cache& target, int from, int to) {
    const auto copy = [](std::byte* into, const std::byte* out_of, std::int64_t bytes) {
        std::memcpy(into, out_of, static_cast<std::size_t>(bytes));
    };
    for (int layer = 0; layer < source.shape().n_layer; ++layer)
        for (int at = from; at < to; ++at) {
            copy(target.key(layer, at), source.key(layer, at), source.key_row_bytes());
            if (source.shape().value_row > 0)
                copy(target.value(layer, at), source.value(layer, at), source.value_row_bytes());
        }
}

}  // namespace

Status BenchRun::first_token() {
    HEFT_TRY(kv::Cache cache, engine_.make_cache(1, 1));
    inputs_.push_back({token(), 0, &cache, true});
    return forward();
}

Status BenchRun::prepare(const BenchPlan& plan) {
    for (int i = 0; i < plan.most_sequences(); ++i) {
        HEFT_TRY(kv::Cache cache, engine_.make_cache(plan.n_ctx(), plan.n_ctx()));
        caches_.push_back(std::move(cache));
    }
    filled_.assign(caches_.size(), 0);
    return {};
}

std::int32_t BenchRun::token() {
    const auto n_vocab = static_cast<std::uint64_t>(engine_.model().config().n_vocab);
    return static_cast<std::int32_t>(rng_.next() % n_vocab);
}

Status BenchRun::forward() {
    if (stop_) return Error{Code::cancelled, ""};
    logits_.clear();
    Status status = engine_.model().forward(engine_.context(), inputs_, logits_);
    inputs_.clear();
    return status;
}

// The first `n_sequences` from position `from` on, kChunk tokens at once.
Status BenchRun::feed(int n_sequences, int from, int count) {
    for (int s = 0; s < n_sequences; ++s) caches_[static_cast<std::size_t>(s)].set_length(from);
    for (int s = 0; s < n_sequences; ++s)
        for (int i = 0; i < count; ++i) {
            kv::Cache* const cache = &caches_[static_cast<std::size_t>(s)];
            inputs_.push_back({token(), from + i, cache, i + 1 == count});
            if (inputs_.size() == kChunk) HEFT_OK(forward());
        }
    return inputs_.empty() ? Status{} : forward();
}

// One sequence is computed up to the depth, the others are copies of it.
Status BenchRun::deepen(int depth, int n_sequences) {
    if (depth > filled_[0]) HEFT_OK(feed(1, filled_[0], depth - filled_[0]));
    for (int s = 0; s < n_sequences; ++s) {
        int& filled = filled_[static_cast<std::size_t>(s)];
        kv::Cache& cache = caches_[static_cast<std::size_t>(s)];
        if (s > 0 && depth > filled) copy_positions(caches_[0], cache, filled, depth);
        filled = depth;
        cache.basis = caches_[0].basis;
        cache.set_length(depth);
    }
    return {};
}

Status BenchRun::once(const BenchTest& test) {
    if (test.kind == BenchKind::prefill) return feed(test.batch, test.depth, test.n_tokens);
    for (int s = 0; s < test.batch; ++s)
        caches_[static_cast<std::size_t>(s)].set_length(test.depth);
    for (int i = 0; i < test.n_tokens; ++i) {
        for (int s = 0; s < test.batch; ++s)
            inputs_.push_back(
                {token(), test.depth + i, &caches_[static_cast<std::size_t>(s)], true});
        HEFT_OK(forward());
    }
    return {};
}

Result<BenchResult> BenchRun::measure(const BenchTest& test, int repeats) {
    HEFT_OK(deepen(test.depth, test.batch));
    const double tokens = test.batch * (static_cast<double>(test.depth) + test.n_tokens);
    const auto token_bytes =
        static_cast<double>(engine_.model().cache_bytes_per_token(engine_.cache_types()));
    cache_bytes_ = std::max(cache_bytes_, tokens * token_bytes);
    BenchResult result{test, work_of(test, engine_, kChunk), {}};
    HEFT_OK(once(test));  // warms caches and scratch
    for (int r = 0; r < repeats; ++r) {
        const auto begin = Clock::now();
        HEFT_OK(once(test));
        result.seconds.push_back(seconds_since(begin));
    }
    std::sort(result.seconds.begin(), result.seconds.end());
    return result;
}

double BenchRun::cache_bytes() const {
    return cache_bytes_;
}

}  // namespace heft::app
