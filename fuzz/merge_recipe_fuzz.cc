// Any bytes as the recipe of a merge. What is accepted keeps its promises: a method, at least one
// slice with sources, and parameters that are numbers at every place.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "merge/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto recipe = heft::merge::read_recipe(text);
    if (!recipe) return 0;
    if (recipe->method == nullptr || recipe->slices.empty() || recipe->models().empty())
        std::abort();
    for (const auto& slice : recipe->slices) {
        if (slice.sources.empty()) std::abort();
        for (const auto& source : slice.sources)
            for (const auto& takes : recipe->method->takes)
                for (const double place : {0.0, 0.3, 1.0}) {
                    const auto value = recipe->value(takes.parameter, slice, &source,
                                                     "model.layers.1.mlp.up_proj.weight", place);
                    if (value && std::isnan(*value)) std::abort();
                }
    }
    return 0;
}
