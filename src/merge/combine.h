// Results that are sums of the inputs, each times a number: what all methods on the sphere and the
// averages come to. The numbers follow from the inputs' inner products.
#pragma once

#include <functional>
#include <vector>

#include "merge/method.h"

namespace heft::merge {

// Inner products of the models, less the base where there is one: dot(i, j).
class Gram {
  public:
    explicit Gram(std::size_t n = 0) : n_(n), dots_(n * n) {}
    std::size_t size() const { return n_; }
    double dot(std::size_t i, std::size_t j) const { return dots_[i * n_ + j]; }
    double& at(std::size_t i, std::size_t j) { return dots_[i * n_ + j]; }
    double norm(std::size_t i) const;
    void add(const Gram& more);

    // Of a sum of the inputs times `factors`: its norm, and its inner product with input i.
    double norm_of(const std::vector<double>& factors) const;
    double dot_with(const std::vector<double>& factors, std::size_t i) const;

  private:
    std::size_t n_;
    std::vector<double> dots_;
};

// Of `count` numbers of the block from number `first` on.
Gram gram_of(const Block& block, std::size_t first, std::size_t count);

// A number for each model: the result is base + sum of factor * (model - base), the base being zero
// where there is none.
using Factors = std::vector<double>;
using FactorsOf = std::function<Factors(const Gram&)>;

// One set of factors for the whole tensor, or one for each row.
Result<Rule> combine_whole(const Inputs& inputs, Scanner& scanner, const FactorsOf& factors_of);
Rule combine_rows(FactorsOf factors_of);
Rule combine(Factors factors);

// to[i] = the sum, for `count` numbers from number `first` of the block on.
void add_up(const Block& block, const Factors& factors, std::size_t first, std::size_t count,
            float* to);

}  // namespace heft::merge
