#include "shape/spectral.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.h"

namespace heft::shape {

namespace {

using convert::Weight;

constexpr std::int64_t kMostKept = 1 << 26;  // numbers: 256 MiB
constexpr std::int64_t kParts = 64;          // of the rows: sums are made part by part, in order
constexpr int kMostSteps = 50;
constexpr double kSmallGain = 1e-4;

// Rows first … first + n_rows - 1 of A - B, which are one matrix.
class DifferenceMatrix {
  public:
    DifferenceMatrix(const Weight& a, const Weight& b, std::int64_t first, std::int64_t n_rows,
                     ThreadPool& pool)
        : a_(a), b_(b), pool_(pool), first_(first), n_rows_(n_rows) {
        if (n_rows_ * n_cols() > kMostKept) return;
        kept_.resize(static_cast<std::size_t>(n_rows_ * n_cols()));
        each_part([this](std::int64_t, std::int64_t from, std::int64_t to) {
            std::vector<float> room(static_cast<std::size_t>(n_cols()));
            for (std::int64_t r = from; r < to; ++r) read(r, kept_.data() + r * n_cols(), room);
        });
    }

    std::int64_t n_cols() const { return a_.n_cols; }

    // D^T (D v)
    std::vector<double> apply(const std::vector<double>& v) {
        const auto n = static_cast<std::size_t>(n_cols());
        std::vector<std::vector<double>> sums(static_cast<std::size_t>(n_parts()));
        each_part([&](std::int64_t part, std::int64_t from, std::int64_t to) {
            std::vector<double>& sum = sums[static_cast<std::size_t>(part)];
            sum.resize(n);
            std::vector<float> row(n);
            std::vector<float> room(n);
            for (std::int64_t r = from; r < to; ++r) {
                const float* d = row.data();
                if (kept_.empty())
                    read(r, row.data(), room);
                else
                    d = kept_.data() + r * n_cols();
                double dot = 0;
                for (std::size_t k = 0; k < n; ++k) dot += d[k] * v[k];
                for (std::size_t k = 0; k < n; ++k) sum[k] += dot * d[k];
            }
        });
        std::vector<double> out(n);
        for (const auto& sum : sums)
            for (std::size_t k = 0; k < n; ++k) out[k] += sum[k];
        return out;
    }

  private:
    std::int64_t n_parts() const { return std::min(kParts, n_rows_); }

    template <class Body>
    void each_part(const Body& body) {
        pool_.run([&](int share, int shares) {
            for (std::int64_t part = share; part < n_parts(); part += shares)
                body(part, part * n_rows_ / n_parts(), (part + 1) * n_rows_ / n_parts());
        });
    }

    void read(std::int64_t row, float* to, std::vector<float>& room) const {
        a_.read(first_ + row, 1, to);
        b_.read(first_ + row, 1, room.data());
        for (std::size_t k = 0; k < room.size(); ++k) to[k] -= room[k];
    }

    const Weight& a_;
    const Weight& b_;
    ThreadPool& pool_;
    std::int64_t first_, n_rows_;
    std::vector<float> kept_;
};

double length(const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += x * x;
    return std::sqrt(sum);
}

Result<double> largest_singular_value(DifferenceMatrix& matrix,
                                      const std::function<bool()>& go_on) {
    constexpr std::uint64_t kSeed = 1;
    Rng rng(kSeed);
    std::vector<double> v(static_cast<std::size_t>(matrix.n_cols()));
    for (double& x : v) x = rng.uniform() - 0.5;
    double sigma = 0;
    double scale = length(v);
    for (int step = 0; step < kMostSteps; ++step) {
        if (go_on && !go_on()) return Error{Code::cancelled, "stopped"};
        for (double& x : v) x /= scale;
        v = matrix.apply(v);
        scale = length(v);
        const double found = std::sqrt(scale);  // of v of length 1: |D^T D v| <= sigma^2
        if (scale == 0 || !std::isfinite(scale)) return found;
        if (found - sigma < kSmallGain * found) return std::max(found, sigma);
        sigma = found;
    }
    return sigma;
}

}  // namespace

Result<double> spectral_norm_of_difference(const Weight& first, const Weight& second,
                                           ThreadPool& pool, const std::function<bool()>& go_on) {
    if (first.shape != second.shape || first.n_cols != second.n_cols || first.shape.size() < 2)
        return Error{Code::invalid, "tensors " + first.name + " and " + second.name
                                        + " are not matrices of one shape"};
    const std::int64_t rows = first.shape[first.shape.size() - 2];
    double most = 0;
    for (std::int64_t at = 0; rows > 0 && at + rows <= first.n_rows; at += rows) {
        DifferenceMatrix matrix(first, second, at, rows, pool);
        HEFT_TRY(const double found, largest_singular_value(matrix, go_on));
        most = std::max(most, found);
    }
    return most;
}

}  // namespace heft::shape
