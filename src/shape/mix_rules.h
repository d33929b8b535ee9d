// The table behind mix.h.
#pragma once

#include "shape/mix.h"

namespace heft::shape {

// Without regard to how long rows are, but for the output matrix.
DType type_by_rules(const MixInfo& mix, const ModelFacts& model, const TensorFacts& tensor);

}  // namespace heft::shape
