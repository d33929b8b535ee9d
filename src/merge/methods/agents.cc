// Reinforced Agent Merging (arXiv:2601.13572): reinforcement learning changes few numbers of a
// model. Those that one model alone has changed are taken as they are, of those that several have
// changed the mean. RAM+ makes unique changes larger the more of a model's changes are shared; here
// with the shares of one tensor.
#include <algorithm>
#include <cmath>

#include "merge/method.h"

namespace heft::merge {

namespace {

struct Change {
    double epsilon;
    bool at(const Block& block, std::size_t model, std::size_t i) const {
        return std::abs(static_cast<double>(block.models[model][i]) - block.base[i]) > epsilon;
    }
    int count(const Block& block, std::size_t i) const {
        int count = 0;
        for (std::size_t m = 0; m < block.models.size(); ++m) count += at(block, m, i);
        return count;
    }
};

// `unique`: what a change of this model alone is multiplied by.
Rule ram_rule(Change change, std::vector<double> unique) {
    return [change, unique = std::move(unique)](const Block& block, float* to) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            const int count = change.count(block, i);
            double sum = 0;
            for (std::size_t m = 0; m < block.models.size(); ++m) {
                if (!change.at(block, m, i)) continue;
                const double delta = static_cast<double>(block.models[m][i]) - block.base[i];
                sum += count == 1 ? delta * unique[m] : delta / count;
            }
            to[i] = static_cast<float>(block.base[i] + sum);
        }
    };
}

struct Shares {
    std::vector<std::int64_t> unique, shared;
};

}  // namespace

Result<Rule> prepare_ram(const Inputs& inputs, const Settings& settings, Scanner&) {
    return ram_rule({settings.all[Parameter::epsilon]},
                    std::vector<double>(inputs.models.size(), 1.0));
}

Result<Rule> prepare_ramplus(const Inputs& inputs, const Settings& settings, Scanner& scanner) {
    const Change change{settings.all[Parameter::epsilon]};
    const std::size_t n = inputs.models.size();
    Shares sums{std::vector<std::int64_t>(n), std::vector<std::int64_t>(n)};
    HEFT_OK(scanner.fold<Shares>(
        inputs,
        [change, n](const Block& block) {
            Shares part{std::vector<std::int64_t>(n), std::vector<std::int64_t>(n)};
            for (std::size_t i = 0; i < block.size(); ++i) {
                const int count = change.count(block, i);
                for (std::size_t m = 0; m < n; ++m)
                    if (change.at(block, m, i)) ++(count == 1 ? part.unique : part.shared)[m];
            }
            return part;
        },
        [&sums, n](const Shares& part) {
            for (std::size_t m = 0; m < n; ++m) {
                sums.unique[m] += part.unique[m];
                sums.shared[m] += part.shared[m];
            }
        }));
    std::vector<double> unique;
    for (std::size_t m = 0; m < n; ++m) {
        const double ratio = static_cast<double>(sums.shared[m])
                             / std::max(static_cast<double>(sums.unique[m]), change.epsilon);
        unique.push_back(1
                         + settings.all[Parameter::r]
                               * std::clamp(ratio, 0.0, settings.all[Parameter::alpha]));
    }
    return ram_rule(change, std::move(unique));
}

}  // namespace heft::merge
