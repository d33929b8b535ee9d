#include "gen/logprobs.h"

#include <algorithm>

namespace heft::gen {

double log_sum_exp(std::span<const float> logits) {
    const float top = highest(logits);
    if (std::isinf(top)) return top;
    double sum = 0;
    for (const float logit : logits) {
        if (!std::isnan(logit)) sum += std::exp(static_cast<double>(logit) - top);
    }
    return top + std::log(sum);
}

float logprob_of(float logit, double log_sum) {
    const double value = static_cast<double>(logit) - log_sum;
    // inf - inf: a logit of +inf takes the whole distribution; otherwise nothing is possible.
    if (std::isnan(value)) return logit > 0 ? 0.0F : kImpossible;
    return static_cast<float>(std::min(value, 0.0));
}

std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, int n, double log_sum) {
    std::vector<TokenLogprob> out;
    if (n <= 0) return out;
    Candidates list;
    assign_first(list, logits, static_cast<std::size_t>(n));
    out.reserve(list.size());
    for (const Candidate& item : list.items)
        out.push_back({item.id, logprob_of(item.logit, log_sum)});
    return out;
}

}  // namespace heft::gen
