// One pass of the decoder: every family's block, by the choices of its row.
#pragma once

#include <span>
#include <unordered_map>
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

// What adapters add to the products of the weights, and to the rows of the embedding.
struct Changes {
    std::unordered_map<const op::Weight*, std::vector<const LowRank*>> of_weight;
    std::vector<const LowRank*> of_embedding;
};

enum class Output : unsigned char { logits, hidden };  // hidden: what the last norm gives

struct Decoder {
    const arch::Config& config;
    const Weights& weights;
    const Rotations& rotations;
    const std::vector<float>& slopes;  // ALiBi's, one per query head; empty: none
    std::span<const Changes> changes;  // of all sequences, then those of each adapter offered
};

std::int64_t activation_width(const arch::Config& config);  // floats per token of a pass

// ALiBi (Press et al. 2021): a geometric series, filled up from that of twice the heads where their
// number is no power of two.
std::vector<float> alibi_slopes(int n_head, float scale);

// Inputs were checked. Appends one row per input that wants it.
void decode(const Decoder& decoder, op::Context& context, std::span<const Input> inputs,
            Output output, PagedVector<float>& rows);

}  // namespace heft::model
