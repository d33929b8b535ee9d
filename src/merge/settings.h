// The numbers that steer a merge: which there are, and their values for one tensor.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace heft::merge {

enum class Parameter : std::uint8_t {
    weight,
    density,
    gamma,
    epsilon,
    t,
    lambda,
    normalize,
    rescale,
    normalize_weights,
    eps,
    max_iter,
    tol,
    nuslerp_flatten,
    nuslerp_row_wise,
    select_topk,
    filter_wise,
    scale,
    r,
    alpha,
    int8_mask,
};
inline constexpr int kParameters = static_cast<int>(Parameter::int8_mask) + 1;

// As recipes call it.
std::string_view parameter_name(Parameter parameter);
std::optional<Parameter> parameter_of(std::string_view name);

// Flags are 0 and 1.
class Values {
  public:
    double operator[](Parameter parameter) const { return values_[index(parameter)]; }
    bool is_on(Parameter parameter) const { return (*this)[parameter] != 0; }
    void set(Parameter parameter, double value) { values_[index(parameter)] = value; }

  private:
    static std::size_t index(Parameter parameter) { return static_cast<std::size_t>(parameter); }
    std::array<double, kParameters> values_{};
};

// For one tensor.
struct Settings {
    Values all;                  // what is the same for every model
    std::vector<Values> models;  // of each model (the base is not among them), in order
    std::uint64_t seed = 0;      // of this tensor: random_key() of the run's seed and its name
};

// One stream of random numbers for each tensor and model, with any number of it at hand, so that
// neither threads nor blocks decide what is drawn. splitmix64 (Steele, Lea, Flood 2014) of a
// counter.
std::uint64_t random_key(std::uint64_t seed, std::string_view tensor);
std::uint64_t random_key(std::uint64_t tensor_key, std::size_t model);
constexpr std::uint64_t mix_bits(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}
// Uniform in [0, 1), 53 random bits.
constexpr double random_at(std::uint64_t key, std::uint64_t index) {
    return static_cast<double>(mix_bits(key + (index + 1) * 0x9e3779b97f4a7c15U) >> 11) * 0x1p-53;
}

}  // namespace heft::merge
