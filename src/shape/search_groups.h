// The groups of a model's matrices whose types a search chooses (mix_search.h): matrices of one
// kind, those of the first and last eighth of the layers apart from the others.
#pragma once

#include <vector>

#include "shape/mix_search.h"
#include "shape/quantise.h"

namespace heft::shape {

struct SearchSpace {
    std::vector<SearchGroup> groups;
    std::vector<std::vector<std::size_t>> members;  // of each group, among the model's weights
    std::vector<DType> own;                         // what each weight is where nothing is chosen
    std::uint64_t fixed_bytes = 0;                  // of weights in no group
};

// The types that are tried. Rows that are not whole blocks of one get another, as in mixes.
std::span<const DType> search_types();

// What `overrides` say is not searched. Errors: invalid where nothing is left.
Result<SearchSpace> search_space(const GgufModel& model, const std::vector<Override>& overrides,
                                 std::span<const DType> types = search_types());

// The type of each weight in a mix.
std::vector<DType> types_of(const SearchSpace& space, const Picks& picks);

}  // namespace heft::shape
