// How numbers are stored and read back, for every type that can be computed with. The dequantisers
// here are the definition: every faster path must give the same bits. Thread-safe; no errors: the
// caller has checked sizes. Formulas: docs/formats/.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/quant/encoding.h"

namespace heft {

struct Codec {
    DType type;
    // n weights, a multiple of the type's block; `from` and `to` need no alignment of their blocks.
    void (*dequantise)(const void* from, std::int64_t n, float* to);
    // By the values alone; nullptr where heft does not write the type.
    void (*quantise)(const float* from, std::int64_t n, void* to);
    // By what an error costs, or with faster loops; nullptr where there is neither. Without
    // importances the same bytes as `quantise`.
    void (*encode)(const float* from, const quant::Encoding& how, std::int64_t n,
                   void* to) = nullptr;
    bool values_decide = false;  // whatever an error costs

    bool weighs_errors() const { return encode != nullptr && !values_decide; }
};

// nullptr: the type is known by name and size only.
const Codec* codec(DType type);

// n weights by the better of the two; the type must be one that heft writes.
void encode(DType type, const float* from, const quant::Encoding& how, std::int64_t n, void* to);

}  // namespace heft
