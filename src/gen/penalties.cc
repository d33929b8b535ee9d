#include "gen/penalties.h"

namespace heft::gen {

namespace {

auto penalty_of(const PenaltyOptions& options) {
    return [&options](float logit, int count) {
        const float scaled = logit <= 0 ? logit * options.repeat : logit / options.repeat;
        return scaled - static_cast<float>(count) * options.frequency - options.presence;
    };
}

std::unordered_map<TokenId, float> summed(std::span<const LogitBias> biases) {
    std::unordered_map<TokenId, float> by_token;
    for (const auto& [id, bias] : biases) by_token[id] += bias;
    return by_token;
}

float add(float logit, float bias) {
    return logit + bias;
}

}  // namespace

void TokenWindow::push(TokenId id) {
    if (last_n_ == 0) return;
    ++counts_[id];
    if (last_n_ < 0) return;
    if (ring_.size() < static_cast<std::size_t>(last_n_)) {
        ring_.push_back(id);
        return;
    }
    const auto leaving = counts_.find(ring_[oldest_]);
    if (--leaving->second == 0) counts_.erase(leaving);
    ring_[oldest_] = id;
    oldest_ = (oldest_ + 1) % ring_.size();
}

void TokenWindow::clear() {
    oldest_ = 0;
    ring_.clear();
    counts_.clear();
}

TokenCounts count_tokens(std::span<const TokenId> ids) {
    TokenCounts counts;
    for (const TokenId id : ids) ++counts[id];
    return counts;
}

void penalise(Candidates& list, const TokenCounts& counts, const PenaltyOptions& options) {
    if (options.active()) adjust_logits(list, counts, penalty_of(options));
}

void penalise(std::span<float> logits, const TokenCounts& counts, const PenaltyOptions& options) {
    if (options.active()) adjust_logits(logits, counts, penalty_of(options));
}

void add_bias(Candidates& list, std::span<const LogitBias> biases) {
    adjust_logits(list, summed(biases), add);
}

void add_bias(std::span<float> logits, std::span<const LogitBias> biases) {
    adjust_logits(logits, summed(biases), add);
}

}  // namespace heft::gen
