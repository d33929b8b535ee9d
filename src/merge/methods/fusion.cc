// Arcee Fusion (Arcee 2025): of the other model only what matters. The importance of a number is
// how far it is from the base's, times the Kullback-Leibler divergence between the rows' softmax;
// what lies above the median by more than 1.5 interquartile ranges is taken over.
#include <algorithm>
#include <cmath>

#include "merge/method.h"
#include "merge/ranks.h"

namespace heft::merge {

namespace {

constexpr double kOffset = 1e-8;  // keeps logarithms of nothing finite

std::vector<double> softmax(const float* row, std::size_t n) {
    const float most = *std::max_element(row, row + n);
    std::vector<double> out(n);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        out[i] = std::exp(static_cast<double>(row[i]) - most);
        sum += out[i];
    }
    for (double& value : out) value = value / sum + kOffset;
    return out;
}

double divergence(const float* other, const float* base, std::size_t n) {
    const std::vector<double> p = softmax(other, n);
    const std::vector<double> q = softmax(base, n);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += p[i] * std::log(p[i] / q[i]);
    return std::max(sum, 0.0);
}

void importance(const Block& block, std::vector<float>& to) {
    const auto columns = static_cast<std::size_t>(block.n_columns);
    for (std::size_t begin = 0; begin < to.size(); begin += columns) {
        const float* other = block.models[0] + begin;
        const float* base = block.base + begin;
        const double apart = divergence(other, base, columns);
        for (std::size_t i = 0; i < columns; ++i)
            to[begin + i] =
                static_cast<float>(std::abs(static_cast<double>(other[i]) - base[i]) * apart);
    }
}

}  // namespace

Result<Rule> prepare_arcee_fusion(const Inputs& inputs, const Settings&, Scanner& scanner) {
    const auto rank = [&inputs](double share) {
        return static_cast<std::int64_t>(share * static_cast<double>(inputs.size() - 1));
    };
    float threshold = 0;
    if (inputs.size() > 0) {
        HEFT_TRY(const auto values,
                 values_at_ranks(inputs, scanner,
                                 [](const Block& block, std::vector<std::vector<float>>& to) {
                                     importance(block, to[0]);
                                 },
                                 {{rank(0.25), rank(0.5), rank(0.75)}}));
        threshold = values[0][1] + 1.5F * (values[0][2] - values[0][0]);
    }
    return Rule([threshold](const Block& block, float* to) {
        std::vector<float> matters(block.size());
        importance(block, matters);
        for (std::size_t i = 0; i < matters.size(); ++i)
            to[i] = matters[i] >= threshold ? block.models[0][i] : block.base[i];
    });
}

}  // namespace heft::merge
