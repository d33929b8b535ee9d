// One tensor of a Hugging Face folder, made of a GGUF file: what it is made of, and its rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arch/tensors.h"
#include "convert/part_rows.h"
#include "convert/weight.h"

namespace heft::convert {

struct HfPart {
    arch::Located at;          // in the GGUF file
    int interleaved_head = 0;  // > 0: the file has rows of each head of this many for neighbours
    int turned_head = 0;       // > 0: the file has each head's matrix of this many rows turned
};

struct HfTensor {
    std::vector<HfPart> parts;
    PartRows rows;
    std::int64_t n_stack = 1;  // matrices in the tensor
    std::int64_t first_expert = 0;
    std::int64_t cols = 1;
    arch::Load load = arch::Load::as_is;  // to be undone
    bool is_vector = false;
    bool is_stacked = false;  // the experts are a dimension
};

// Reads from mapped files, which must stay open.
Weight weight_of(HfTensor tensor, std::string name);

}  // namespace heft::convert
