// One pass of the decoder: every family's block, by the choices of its row.
#pragma once

#include <span>
#include <vector>

#include "arch/arch.h"
#include "model/model.h"
#include "model/weights.h"
#include "op/context.h"
#include "op/rope.h"

namespace heft::model {

struct Rotation {
    std::vector<double> frequency;  // radians per position, one per pair
    double magnitude = 1;
    op::RopePairs pairs = op::RopePairs::half;
};

Rotation make_rotation(const arch::Rope& rope, std::int64_t n_ctx, bool long_context);

struct Decoder {
    const arch::Config& config;
    const Weights& weights;
    const Rotation& short_rope;
    const Rotation& long_rope;
};

// Inputs were checked. Appends one row of logits per input that wants them.
void decode(const Decoder& decoder, op::Context& context, std::span<const Input> inputs,
            std::vector<float>& logits);

}  // namespace heft::model
