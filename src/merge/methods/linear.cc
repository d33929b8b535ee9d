// Methods that look at nothing but the numbers at one place: the weighted mean (Wortsman et al.
// 2022), layers as they are, and nearswap.
#include <cmath>

#include "merge/combine.h"

namespace heft::merge {

Result<Rule> prepare_linear(const Inputs& inputs, const Settings& settings, Scanner&) {
    Factors factors;
    double sum = 0;
    for (const Values& model : settings.models) {
        factors.push_back(model[Parameter::weight]);
        sum += factors.back();
    }
    if (settings.all.is_on(Parameter::normalize)) {
        if (std::abs(sum) < 1e-12)
            return Error{Code::invalid,
                         "the weights add up to zero, and a mean of them is asked for; change them "
                         "or set normalize: false"};
        for (double& factor : factors) factor /= sum;
    }
    (void)inputs;
    return combine(std::move(factors));
}

Result<Rule> prepare_passthrough(const Inputs&, const Settings& settings, Scanner&) {
    const double scale = settings.models.front()[Parameter::scale];
    return Rule([scale](const Block& block, float* to) {
        for (std::size_t i = 0; i < block.size(); ++i)
            to[i] = static_cast<float>(scale * block.models[0][i]);
    });
}

// The nearer the other model's number, the more of it: all within t, and t in all beyond.
Result<Rule> prepare_nearswap(const Inputs&, const Settings& settings, Scanner&) {
    const double t = settings.all[Parameter::t];
    if (!(t > 0)) return Error{Code::invalid, "t of nearswap has to be above 0"};
    return Rule([t](const Block& block, float* to) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            const double base = block.base[i];
            const double other = block.models[0][i];
            const double distance = std::abs(base - other);
            const double share = distance > t ? t / distance : 1.0;
            to[i] = static_cast<float>(share * other + (1 - share) * base);
        }
    });
}

}  // namespace heft::merge
