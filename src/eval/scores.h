// Numbers that say how good a model is at a text, and how far it is from another one: sums over
// tokens, made one row of logits at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace heft::eval {

// ln p of all ids of a row of logits; to[n_vocab].
void log_softmax(std::span<const float> logits, std::vector<double>& to);
// ln p of one of them.
double log_probability(std::span<const float> logits, std::int32_t token);

struct Estimate {
    double value = 0;
    double error = 0;  // standard error; 0 where there are too few to tell
};

// A mean with its standard error.
class Mean {
  public:
    void add(double x);
    std::int64_t count() const { return count_; }
    Estimate estimate() const;

  private:
    std::int64_t count_ = 0;
    double mean_ = 0;
    double squares_ = 0;  // of what is off the mean (Welford 1962)
};

// e to the mean of -ln p of the tokens that came; its error by the first derivative.
class Perplexity {
  public:
    void add(double log_probability) { mean_.add(-log_probability); }
    std::int64_t tokens() const { return mean_.count(); }
    Estimate estimate() const;

  private:
    Mean mean_;
};

// What a model and its base say of one token.
struct TokenDivergence {
    double kl = 0;
    double base_entropy = 0;                 // sum over ids of -p ln p, p the base's
    double base_log_p = 0, model_log_p = 0;  // of the token that came
    bool same_top = false;
};

// Both of the same vocabulary; `token` is the one that came.
TokenDivergence compare(std::span<const float> base, std::span<const float> model,
                        std::int32_t token);

// How far a model is from a base, token by token.
class Divergence {
  public:
    void add(const TokenDivergence& token);

    std::int64_t tokens() const { return static_cast<std::int64_t>(kl_.size()); }
    Estimate kl() const;                  // sum over ids of p ln(p / q), p the base's; in nats
    double kl_quantile(double q) const;   // 0.5: the median
    Estimate same_top() const;            // share of tokens where both find the same id likeliest
    Estimate probability_change() const;  // of the token that came, root of the mean square
    Estimate base_perplexity() const { return base_.estimate(); }
    Estimate perplexity() const { return model_.estimate(); }
    // ln of the ratio of the perplexities; its error is small, for both have the same text.
    Estimate log_ratio() const { return difference_.estimate(); }
    // The perplexity of text as the base would write it: each position counts with all tokens that
    // could come, by the base's probabilities, instead of the one that came. e to the mean of the
    // cross entropies, which are the base's entropy and the divergence: no model's is lower than
    // the base's.
    Estimate expected_perplexity() const { return expected_.estimate(); }
    Estimate base_expected_perplexity() const { return base_expected_.estimate(); }

  private:
    std::vector<float> kl_;
    Mean mean_kl_, same_top_, squared_change_, difference_;
    Perplexity base_, model_, base_expected_, expected_;
};

}  // namespace heft::eval
