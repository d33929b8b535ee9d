#include "merge/settings.h"

namespace heft::merge {

namespace {

struct Name {
    Parameter parameter;
    std::string_view name;
};
constexpr Name kNames[] = {
    {Parameter::weight, "weight"},
    {Parameter::density, "density"},
    {Parameter::gamma, "gamma"},
    {Parameter::epsilon, "epsilon"},
    {Parameter::t, "t"},
    {Parameter::lambda, "lambda"},
    {Parameter::normalize, "normalize"},
    {Parameter::rescale, "rescale"},
    {Parameter::normalize_weights, "normalize_weights"},
    {Parameter::eps, "eps"},
    {Parameter::max_iter, "max_iter"},
    {Parameter::tol, "tol"},
    {Parameter::nuslerp_flatten, "nuslerp_flatten"},
    {Parameter::nuslerp_row_wise, "nuslerp_row_wise"},
    {Parameter::select_topk, "select_topk"},
    {Parameter::filter_wise, "filter_wise"},
    {Parameter::scale, "scale"},
    {Parameter::r, "r"},
    {Parameter::alpha, "alpha"},
    {Parameter::int8_mask, "int8_mask"},
};
static_assert(std::size(kNames) == kParameters);

}  // namespace

std::string_view parameter_name(Parameter parameter) {
    for (const Name& row : kNames)
        if (row.parameter == parameter) return row.name;
    return {};
}

std::optional<Parameter> parameter_of(std::string_view name) {
    for (const Name& row : kNames)
        if (row.name == name) return row.parameter;
    return {};
}

// FNV-1a of the name, then mixed with the seed.
std::uint64_t random_key(std::uint64_t seed, std::string_view tensor) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : tensor) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return mix_bits(seed ^ hash);
}

std::uint64_t random_key(std::uint64_t tensor_key, std::size_t model) {
    return mix_bits(tensor_key + (model + 1) * 0x9e3779b97f4a7c15U);
}

}  // namespace heft::merge
