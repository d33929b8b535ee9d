#include "shape/encoder.h"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "base/mapped_file.h"
#include "kernel/table.h"
#include "tensor/quant/quant.h"

namespace heft::shape {

namespace {

using convert::Weight;

constexpr std::int64_t kChunkWeights = 1 << 18;  // a megabyte of floats

std::int64_t rows_at_once(std::int64_t n_cols) {
    return std::max<std::int64_t>(kChunkWeights / std::max<std::int64_t>(n_cols, 1), 1);
}

bool all_finite(const float* x, std::int64_t n) {
    constexpr std::uint32_t kExponent = 0x7f800000U;
    const auto is_bad = [](float number) {
        return (std::bit_cast<std::uint32_t>(number) & kExponent) == kExponent ? 1U : 0U;
    };
    constexpr std::int64_t kAtOnce = 64;  // a loop of known length becomes one of vectors
    std::uint32_t bad = 0;
    std::int64_t i = 0;
    for (; i + kAtOnce <= n; i += kAtOnce)
        for (std::int64_t j = 0; j < kAtOnce; ++j) bad |= is_bad(x[i + j]);
    for (; i < n; ++i) bad |= is_bad(x[i]);
    return bad == 0;
}

// One tensor's way through the threads.
class Run {
  public:
    Run(const Weight& weight, const EncodeJob& job, const kernel::Table& kernels,
        const format::ByteSink& sink)
        : weight_(weight), job_(job), kernels_(kernels), sink_(sink) {
        chunk_ = std::min(rows_at_once(weight.n_cols), std::max<std::int64_t>(weight.n_rows, 1));
        n_chunks_ = (weight.n_rows + chunk_ - 1) / chunk_;
    }

    // Called after each chunk, in order, with the rows done so far.
    std::function<Status(std::int64_t rows)> after;

    Status run(ThreadPool& pool) {
        HEFT_TRY(row_bytes_, row_bytes(job_.type, static_cast<std::uint64_t>(weight_.n_cols)));
        pool.run([this](int, int) { work(); });
        return std::move(status_);
    }

  private:
    void work() {
        std::vector<float> values;
        std::vector<std::byte> bytes;
        for (std::int64_t c = next_.fetch_add(1); c < n_chunks_; c = next_.fetch_add(1)) {
            const std::int64_t first = c * chunk_;
            const std::int64_t count = std::min(chunk_, weight_.n_rows - first);
            bytes.resize(row_bytes_ * static_cast<std::size_t>(count));
            Status made = make(first, count, values, bytes);
            if (!hand_on(c, first + count, std::move(made), bytes)) return;
        }
    }

    bool is_copied() const { return weight_.copy != nullptr && job_.type == weight_.stored; }

    Status make(std::int64_t first, std::int64_t count, std::vector<float>& values,
                std::vector<std::byte>& bytes) const {
        if (is_copied()) {
            weight_.copy(first, count, bytes.data());
            return {};
        }
        const std::int64_t n = weight_.n_cols;
        values.resize(static_cast<std::size_t>(n * count));
        weight_.read(first, count, values.data());
        if (job_.check_finite && dtype_info(job_.type).block > 1
            && !all_finite(values.data(), n * count))
            return Error{Code::corrupt,
                         "holds NaN or infinities, which a quantised type cannot; `heft verify` "
                         "tells where"};
        for (std::int64_t r = 0; r < count; ++r)
            heft::encode(job_.type, values.data() + r * n, kernels_.encoding(importance(first + r)),
                         n, bytes.data() + row_bytes_ * static_cast<std::size_t>(r));
        return {};
    }

    // Of the matrix that a row belongs to.
    const float* importance(std::int64_t row) const {
        if (job_.importance.empty()) return nullptr;
        const auto sets = static_cast<std::int64_t>(job_.importance.size()) / weight_.n_cols;
        const std::int64_t set = row / std::max<std::int64_t>(weight_.n_rows / sets, 1);
        return job_.importance.data() + std::min(set, sets - 1) * weight_.n_cols;
    }

    // Waits for the turn of chunk c. false: something failed, there is nothing more to do.
    bool hand_on(std::int64_t c, std::int64_t rows, Status made,
                 const std::vector<std::byte>& bytes) {
        std::unique_lock lock(mutex_);
        turn_came_.wait(lock, [this, c] { return turn_ == c || !status_; });
        if (!status_) return false;
        if (made) made = sink_(bytes);
        if (made && after) made = after(rows);
        status_ = std::move(made);
        ++turn_;
        turn_came_.notify_all();
        return static_cast<bool>(status_);
    }

    const Weight& weight_;
    const EncodeJob& job_;
    const kernel::Table& kernels_;
    const format::ByteSink& sink_;
    std::int64_t chunk_ = 1;
    std::int64_t n_chunks_ = 0;
    std::uint64_t row_bytes_ = 0;
    std::atomic<std::int64_t> next_{0};
    std::mutex mutex_;
    std::condition_variable turn_came_;
    std::int64_t turn_ = 0;
    Status status_;
};

// Pages of rows that are done, of files that are read once.
void forget(const Weight& weight, std::int64_t from, std::int64_t to) {
    if (!weight.mapped_in_order) {
        if (to == weight.n_rows)
            for (const Bytes bytes : weight.mapped) forget_mapped(bytes);
        return;
    }
    const Bytes all = weight.mapped.front();
    const std::size_t row = all.size() / static_cast<std::size_t>(weight.n_rows);
    forget_mapped(all.subspan(row * static_cast<std::size_t>(from),
                              row * static_cast<std::size_t>(to - from)));
}

}  // namespace

Encoder::Encoder(ThreadPool& pool, Progress progress)
    : pool_(pool), progress_(std::move(progress)), kernels_(kernel::best()) {}

std::uint64_t Encoder::memory_for(std::int64_t n_cols, int n_threads) {
    constexpr std::uint64_t kPerNumber = 12;  // as it is stored, as a float, and encoded
    return static_cast<std::uint64_t>(rows_at_once(n_cols) * n_cols) * kPerNumber
           * static_cast<std::uint64_t>(n_threads);
}

Status Encoder::encode(const Weight& weight, const EncodeJob& job, const format::ByteSink& sink) {
    HEFT_OK(weight.prepare([this](std::uint64_t numbers) {
        done_ += numbers;
        return !progress_ || progress_(done_);
    }));
    Run run(weight, job, kernels_, sink);
    const std::uint64_t before = done_;
    std::int64_t forgotten = 0;
    run.after = [&](std::int64_t rows) -> Status {
        forget(weight, forgotten, rows);
        forgotten = rows;
        done_ =
            before + static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(weight.n_cols);
        if (progress_ && !progress_(done_)) return Error{Code::cancelled, "was stopped"};
        return {};
    };
    return run.run(pool_);
}

format::TensorSource Encoder::source(Weight weight, const EncodeJob& job) {
    format::TensorSource out;
    out.name = weight.name;
    out.type = job.type;
    out.shape = weight.shape;
    out.produce = [this, weight = std::move(weight), job](const format::ByteSink& sink) {
        return encode(weight, job, sink);
    };
    return out;
}

}  // namespace heft::shape
