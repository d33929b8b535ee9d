// The tensors of a model, bound to the mapped file. Matrices stay as they are stored, where a row
// is in one piece; norms and biases, which are small, are widened to float.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "arch/tensors.h"
#include "format/checkpoint.h"
#include "model/model.h"
#include "op/matmul.h"

namespace heft::model {

using Floats = std::vector<float>;

// out = weight * x + bias. Absent: no rows.
struct Linear {
    op::Weight weight;
    Floats bias;  // empty: none

    bool exists() const { return weight.data != nullptr; }
};

// Empty: no weights (as it is for families whose norms have none).
struct Norm {
    Floats weight;
    Floats bias;
};

// Gated: gate and up [width, d_model]; else up alone. down [d_model, width].
struct Ffn {
    Linear gate, up, down;
};

// Keys and values from one latent vector per token.
struct LatentAttention {
    Linear q_a, q_b;  // queries by way of their own latent vector; else Layer::attn_q
    Norm q_norm;
    Linear kv_a;  // [kv_rank + d_rope, d_model]
    Norm kv_norm;
    // Per head: queries into the latent space [kv_rank, nope], and out of it [d_value, kv_rank].
    std::vector<op::Weight> k_b, v_b;
    op::Weight k_b_stored, k_b_turned, v_b_stored;  // all heads, as the file has them
};

struct Layer {
    Norm attn_norm, attn_post_norm, ffn_norm, ffn_post_norm;
    Linear attn_q, attn_k, attn_v, attn_out;  // [q|kv|kv_value, d_model], [d_model, value]
    Norm attn_q_norm, attn_k_norm;            // [d_head], or all heads' widths
    Floats attn_sinks;                        // [n_head]
    LatentAttention latent;
    Ffn ffn;
    // Of a layer with experts, in place of ffn:
    Linear router;              // [n_expert, d_model]
    Floats router_choice_bias;  // [n_expert]
    std::vector<Ffn> experts;   // [d_expert, d_model] …
    Ffn shared;                 // [d_shared, d_model] …
    Linear shared_router;       // [1, d_model]
};

// A matrix of the table that was found in the file.
struct Bound {
    const arch::Tensor* row;
    int layer, expert;
};

struct Weights {
    Linear embedding;      // [n_vocab, d_model]
    op::Weight positions;  // [n_ctx, d_model]
    Norm embedding_norm;
    Linear output;     // [n_vocab, d_model]; the embedding when tied
    Norm output_norm;  // [d_model]
    std::vector<Layer> layers;
    std::vector<Bound> matrices;
    // What views of the file could not give: rows put in order, matrices turned round. And orders
    // of inputs, which weights point to.
    std::vector<std::unique_ptr<std::byte[]>> owned;
    std::vector<std::shared_ptr<const std::vector<std::int32_t>>> orders;
};

// Errors: a tensor that is missing, misshapen, of a type without a decoder, or without a place in
// the computation; a configuration that promises more layers than the file has.
Result<Weights> bind_weights(const format::Checkpoint& checkpoint, const arch::Config& config);

// Where the matrix of a role is kept; nullptr when it is in no place of its own that multiplies
// (embeddings, and what was turned round at loading).
const op::Weight* matrix_of(Weights& weights, arch::Role role, int layer, int expert);

// Of the matrices that multiply (model.h).
std::vector<MatrixName> matrix_names(Weights& weights, const arch::Config& config);

// Bytes of weights that one pass over n_tokens tokens reads, with experts chosen at random.
double bytes_per_pass(const Weights& weights, const arch::Config& config, double n_tokens);

}  // namespace heft::model
