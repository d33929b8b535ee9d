#include "arch/tensors.h"

#include <atomic>
#include <cmath>
#include <mutex>

#include <fmt/format.h>

#include "govern/verify/verify.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::verify {

namespace {

constexpr std::size_t kMostShapes = 20;  // told; the rest is counted

// Looks for every tensor of the table, in each layer and of each expert; says what is wrong.
template <class Tell>
void locate_all(const format::Checkpoint& checkpoint, const arch::Config& config, Tell tell) {
    // No more layers or experts than tensors: the numbers are the file's to claim.
    const auto bounded = [&](std::int64_t n) {
        return static_cast<int>(
            std::min<std::int64_t>(n, static_cast<std::int64_t>(checkpoint.tensors().size())));
    };
    for (const arch::Tensor& tensor : config.family->tensors) {
        const int layers = arch::per_layer(tensor) ? bounded(config.n_layer) : 1;
        const int experts = tensor.per_expert ? bounded(config.experts.n) : 1;
        for (int layer = 0; layer < layers; ++layer) {
            if (!arch::in_layer(tensor, config, layer)) continue;
            for (int expert = 0; expert < experts; ++expert) {
                const auto found = arch::locate(checkpoint, config, tensor, layer, expert);
                if (!found) tell(found.error().what);
                if (!found || found->view == nullptr) break;
            }
        }
    }
}

// What is not finite in a tensor.
struct Odd {
    std::atomic<std::uint64_t> nan{0}, infinite{0};
    std::mutex mutex;
    std::int64_t first_row = -1;

    void add(std::int64_t row, std::uint64_t n_nan, std::uint64_t n_infinite) {
        nan += n_nan;
        infinite += n_infinite;
        const std::scoped_lock lock(mutex);
        if (first_row < 0 || row < first_row) first_row = row;
    }
};

constexpr std::int64_t kPiece = 1 << 18;    // numbers at once
constexpr std::int64_t kLongest = 1 << 26;  // of a row that is read whole

void count_odd(const float* numbers, std::int64_t n, std::int64_t row, Odd& odd) {
    std::uint64_t nan = 0, infinite = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        nan += std::isnan(numbers[i]) ? 1U : 0U;
        infinite += std::isinf(numbers[i]) ? 1U : 0U;
    }
    if (nan + infinite > 0) odd.add(row, nan, infinite);
}

// One tensor's rows, shared out in pieces. The order of pieces does not matter: counts are added.
void scan(const TensorView& view, ThreadPool& pool, Odd& odd) {
    const std::int64_t rows = rows_of(view), columns = columns_of(view);
    const std::int64_t at_once =
        std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, columns));
    std::atomic<std::int64_t> next{0};
    pool.run([&](int, int) {
        std::vector<float> numbers(static_cast<std::size_t>(at_once * columns));
        for (std::int64_t first = next.fetch_add(at_once); first < rows;
             first = next.fetch_add(at_once)) {
            const std::int64_t count = std::min(at_once, rows - first);
            read_rows(view, first, count, numbers.data());
            for (std::int64_t row = 0; row < count; ++row)
                count_odd(numbers.data() + row * columns, columns, first + row, odd);
        }
    });
}

std::uint64_t bytes_of(const TensorView& view) {
    const auto bytes = tensor_bytes(view.type, view.shape);
    return bytes ? *bytes : 0;
}

}  // namespace

void check_shapes(const format::Checkpoint& checkpoint, const arch::Config& config,
                  Report& report) {
    std::size_t bad = 0;
    const auto tell = [&](Severity severity, const std::string& name, std::string what) {
        if (++bad <= kMostShapes) report.add(severity, "shape", name, std::move(what));
    };
    locate_all(checkpoint, config,
               [&](const std::string& what) { tell(Severity::problem, {}, what); });
    for (const std::string& name : arch::unplaced(checkpoint, config))
        tell(Severity::warning, name, "has no place in a model of this configuration");
    if (bad > kMostShapes)
        report.add(Severity::note, "shape", {},
                   fmt::format("{} more like these are not listed", bad - kMostShapes));
}

Status check_numbers(const std::vector<TensorView>& tensors, ThreadPool& pool,
                     const Progress& progress, Report& report) {
    std::uint64_t total = 0, done = 0;
    for (const TensorView& view : tensors) total += bytes_of(view);
    for (const TensorView& view : tensors) {
        ++report.n_tensors;
        const bool readable = codec(view.type) != nullptr && columns_of(view) <= kLongest;
        if (readable && rows_of(view) > 0 && columns_of(view) > 0) {
            Odd odd;
            scan(view, pool, odd);
            report.n_numbers += static_cast<std::uint64_t>(rows_of(view) * columns_of(view));
            if (odd.first_row >= 0)
                report.add(Severity::problem, "numbers", view.name,
                           fmt::format("{} NaN and {} infinite, the first in row {}",
                                       odd.nan.load(), odd.infinite.load(), odd.first_row));
        } else if (!readable && codec(view.type) != nullptr) {
            report.add(Severity::warning, "numbers", view.name,
                       "its rows are too long to be checked");
        }
        done += bytes_of(view);
        if (!progress("numbers", done, total)) return Error{Code::cancelled, "stopped"};
    }
    report.n_bytes += done;
    return {};
}

}  // namespace heft::verify
