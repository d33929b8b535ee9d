// SCE (Wan et al. 2024, FuseChat, section 3.3): Select the places where the models' task vectors
// differ most, Calculate a weight for each model from how far it went in this tensor, Erase what
// disagrees with the sign of the sum.
#include <cmath>

#include "merge/method.h"
#include "merge/ranks.h"

namespace heft::merge {

namespace {

// The mean square of the differences from their mean, at one place.
float variance_at(const Block& block, std::size_t i) {
    const auto n = static_cast<double>(block.models.size());
    double sum = 0;
    for (const float* model : block.models) sum += model[i] - static_cast<double>(block.base[i]);
    double squares = 0;
    for (const float* model : block.models) {
        const double apart = model[i] - static_cast<double>(block.base[i]) - sum / n;
        squares += apart * apart;
    }
    return static_cast<float>(squares / n);
}

struct Selection {
    bool all = true, nothing = false;
    float least = 0;  // variance
    bool takes(const Block& block, std::size_t i) const {
        return all || (!nothing && variance_at(block, i) >= least);
    }
};

Result<Selection> select(const Inputs& inputs, double share, Scanner& scanner) {
    Selection out;
    if (share >= 1) return out;
    out.all = false;
    std::int64_t n_varying = 0;
    HEFT_OK(scanner.fold<std::int64_t>(
        inputs,
        [](const Block& block) {
            std::int64_t count = 0;
            for (std::size_t i = 0; i < block.size(); ++i) count += variance_at(block, i) > 0;
            return count;
        },
        [&n_varying](std::int64_t count) { n_varying += count; }));
    const auto wanted = static_cast<std::int64_t>(share * static_cast<double>(n_varying));
    out.nothing = wanted == 0;
    if (out.nothing) return out;
    HEFT_TRY(const auto values,
             values_at_ranks(inputs, scanner,
                             [](const Block& block, std::vector<std::vector<float>>& to) {
                                 for (std::size_t i = 0; i < block.size(); ++i)
                                     to[0][i] = variance_at(block, i);
                             },
                             {{inputs.size() - wanted}}));
    out.least = values[0][0];
    return out;
}

// Each model's share of the squares of all that is selected.
Result<std::vector<double>> weights_of(const Inputs& inputs, const Selection& selection,
                                       Scanner& scanner) {
    using Squares = std::vector<double>;
    Squares sums(inputs.models.size());
    HEFT_OK(scanner.fold<Squares>(
        inputs,
        [&selection](const Block& block) {
            Squares squares(block.models.size());
            for (std::size_t i = 0; i < block.size(); ++i) {
                if (!selection.takes(block, i)) continue;
                for (std::size_t m = 0; m < squares.size(); ++m) {
                    const double delta = block.models[m][i] - static_cast<double>(block.base[i]);
                    squares[m] += delta * delta;
                }
            }
            return squares;
        },
        [&sums](const Squares& part) {
            for (std::size_t m = 0; m < part.size(); ++m) sums[m] += part[m];
        }));
    double total = 0;
    for (const double sum : sums) total += sum;
    for (double& sum : sums) sum = total > 0 ? sum / total : 1 / static_cast<double>(sums.size());
    return sums;
}

// What the models that agree with the sum's sign come to at one place.
double agreed(const Block& block, const std::vector<double>& weights, std::size_t i) {
    double sum = 0;
    for (const float* model : block.models) sum += model[i] - static_cast<double>(block.base[i]);
    double total = 0;
    double divisor = 0;
    for (std::size_t m = 0; m < weights.size(); ++m) {
        const double delta = block.models[m][i] - static_cast<double>(block.base[i]);
        if (sum >= 0 ? delta <= 0 : delta >= 0) continue;
        total += weights[m] * delta;
        divisor += weights[m];
    }
    return divisor > 0 ? total / divisor : 0;
}

}  // namespace

Result<Rule> prepare_sce(const Inputs& inputs, const Settings& settings, Scanner& scanner) {
    HEFT_TRY(const Selection selection,
             select(inputs, settings.all[Parameter::select_topk], scanner));
    HEFT_TRY(const std::vector<double> weights, weights_of(inputs, selection, scanner));
    return Rule([selection, weights](const Block& block, float* to) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            const double delta = selection.takes(block, i) ? agreed(block, weights, i) : 0.0;
            to[i] = static_cast<float>(block.base[i] + delta);
        }
    });
}

}  // namespace heft::merge
