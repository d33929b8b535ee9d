// The tensors of a model, bound to the mapped file. Matrices stay as they are stored; norms and
// biases, which are small, are widened to float.
#pragma once

#include <vector>

#include "arch/arch.h"
#include "format/checkpoint.h"
#include "op/matmul.h"

namespace heft::model {

struct Layer {
    op::Weight attn_q, attn_k, attn_v, attn_out;  // [q|kv|kv, d_model], [d_model, q]
    op::Weight ffn_gate, ffn_up, ffn_down;        // [d_ff, d_model] twice, [d_model, d_ff]
    // Empty where the model has none.
    std::vector<float> attn_norm, ffn_norm;       // [d_model]
    std::vector<float> attn_q_norm, attn_k_norm;  // [d_head]
    std::vector<float> attn_q_bias, attn_k_bias, attn_v_bias, attn_out_bias;
    std::vector<float> ffn_gate_bias, ffn_up_bias, ffn_down_bias;
};

struct Weights {
    op::Weight embedding;            // [n_vocab, d_model]
    op::Weight output;               // [n_vocab, d_model]; the embedding when tied
    std::vector<float> output_norm;  // [d_model]
    std::vector<Layer> layers;
};

// Errors: a tensor that is missing, misshapen, of a type without a decoder, or without a place in
// the computation; a configuration that promises more layers than the file has.
Result<Weights> bind_weights(const format::Checkpoint& checkpoint, const arch::Config& config);

// Bytes of weights that computing one token reads.
std::int64_t bytes_per_token(const Weights& weights);

}  // namespace heft::model
