// Model Stock (Jang et al. 2024): fine-tuned models lie on a thin shell around a centre that is
// better than any of them. How far the way from the base to their mean has to be gone follows from
// the angle between their task vectors (equation 8); of several, the mean cosine of all pairs.
#include <algorithm>

#include "merge/combine.h"

namespace heft::merge {

namespace {

Factors stock_factors(const Gram& gram) {
    constexpr double small = 1e-12;
    const std::size_t n = gram.size();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j)
            sum += std::clamp(gram.dot(i, j) / std::max(gram.norm(i) * gram.norm(j), small), -1.0,
                              1.0);
    const auto count = static_cast<double>(n);
    const double cosine = sum / (count * (count - 1) / 2);
    const double below = 1 + (count - 1) * cosine;
    // Models that went opposite ways have no centre but the base.
    const double ratio = below > small ? count * cosine / below : 0;
    return Factors(n, ratio / count);
}

}  // namespace

Result<Rule> prepare_model_stock(const Inputs& inputs, const Settings& settings, Scanner& scanner) {
    if (settings.all.is_on(Parameter::filter_wise)) return combine_rows(stock_factors);
    return combine_whole(inputs, scanner, stock_factors);
}

}  // namespace heft::merge
