#include "shape/difference.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace heft::shape {

namespace {

using convert::Weight;

struct Sums {
    double aa = 0, bb = 0, ab = 0, off = 0, most = 0;
    bool identical = true;

    void add(float a, float b) {
        aa += static_cast<double>(a) * a;
        bb += static_cast<double>(b) * b;
        ab += static_cast<double>(a) * b;
        const double d = static_cast<double>(a) - b;
        off += d * d;
        most = std::max(most, std::fabs(d));
        identical = identical && a == b;
    }
    void add(const Sums& other) {
        aa += other.aa;
        bb += other.bb;
        ab += other.ab;
        off += other.off;
        most = std::max(most, other.most);
        identical = identical && other.identical;
    }
};

std::vector<float> rows_of(const Weight& weight, std::int64_t from, std::int64_t count) {
    std::vector<float> out(static_cast<std::size_t>(weight.n_cols * count));
    weight.read(from, count, out.data());
    return out;
}

Sums sums_of(const std::vector<float>& a, const std::vector<float>& b) {
    Sums sums;
    for (std::size_t i = 0; i < a.size(); ++i) sums.add(a[i], b[i]);
    return sums;
}

Difference summed_up(const Sums& all) {
    Difference out;
    out.identical = all.identical;
    out.most = all.most;
    if (all.off > 0) {
        out.relative = all.aa > 0 ? std::sqrt(all.off / all.aa) : INFINITY;
        out.cosine = all.aa > 0 && all.bb > 0 ? all.ab / std::sqrt(all.aa * all.bb) : 0;
    }
    return out;
}

}  // namespace

Result<Difference> difference(const Weight& first, const Weight& second, ThreadPool& pool) {
    if (first.shape != second.shape)
        return Error{Code::invalid, "tensor " + first.name + " is " + shape_text(first.shape)
                                        + " in one and " + shape_text(second.shape)
                                        + " in the other"};
    if (first.n_cols != second.n_cols)  // a vector, which one has as a row and one as many
        return summed_up(
            sums_of(rows_of(first, 0, first.n_rows), rows_of(second, 0, second.n_rows)));
    // Blocks of rows of a fixed size, so that sums do not depend on threads.
    constexpr std::int64_t kBlock = 64;
    const std::int64_t blocks = (first.n_rows + kBlock - 1) / kBlock;
    std::vector<Sums> parts(static_cast<std::size_t>(blocks));
    pool.run([&](int share, int shares) {
        for (std::int64_t b = share; b < blocks; b += shares) {
            const std::int64_t from = b * kBlock;
            const std::int64_t count = std::min(kBlock, first.n_rows - from);
            parts[static_cast<std::size_t>(b)] =
                sums_of(rows_of(first, from, count), rows_of(second, from, count));
        }
    });
    Sums all;
    for (const Sums& part : parts) all.add(part);
    return summed_up(all);
}

}  // namespace heft::shape
