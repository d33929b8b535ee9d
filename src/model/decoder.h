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

// The rotations of a model, for sequences within the trained length and beyond it, and of the
// layers that slide (the same unless the model has one for them).
struct Rotations {
    Rotation short_rope, long_rope, local_rope;
};

Rotations make_rotations(const arch::Config& config);

struct Decoder {
    const arch::Config& config;
    const Weights& weights;
    const Rotations& rotations;
    const std::vector<float>& slopes;  // ALiBi's, one per query head; empty: none
};

// ALiBi (Press et al. 2021): a geometric series, filled up from that of twice the heads where their
// number is no power of two.
std::vector<float> alibi_slopes(int n_head, float scale);

// Inputs were checked. Appends one row of logits per input that wants them.
void decode(const Decoder& decoder, op::Context& context, std::span<const Input> inputs,
            std::vector<float>& logits);

}  // namespace heft::model
