// Reader of safetensors files. Source: the format description of the safetensors project; notes in
// docs/formats/safetensors.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "tensor/tensor.h"

namespace heft::format {

struct Safetensors {
    std::vector<TensorView> tensors;                            // in order of offset
    std::vector<std::pair<std::string, std::string>> metadata;  // __metadata__
};

// Views into `bytes`, which must outlive it. Refuses overlaps, holes, duplicates, wrong sizes.
Result<Safetensors> parse_safetensors(Bytes bytes);

}  // namespace heft::format
