#include "model/weights.h"

#include "arch/tensors.h"
#include "tensor/quant/quant.h"

namespace heft::model {

namespace {

using arch::Located;
using arch::Role;

// Where a tensor of the table goes: a matrix or a vector of the layer.
struct Place {
    op::Weight Layer::*matrix = nullptr;
    std::vector<float> Layer::*vector = nullptr;
};

Place place_of(Role role) {
    switch (role) {
        case Role::attn_q: return {.matrix = &Layer::attn_q};
        case Role::attn_k: return {.matrix = &Layer::attn_k};
        case Role::attn_v: return {.matrix = &Layer::attn_v};
        case Role::attn_out: return {.matrix = &Layer::attn_out};
        case Role::ffn_gate: return {.matrix = &Layer::ffn_gate};
        case Role::ffn_up: return {.matrix = &Layer::ffn_up};
        case Role::ffn_down: return {.matrix = &Layer::ffn_down};
        case Role::attn_norm: return {.vector = &Layer::attn_norm};
        case Role::ffn_norm: return {.vector = &Layer::ffn_norm};
        case Role::attn_q_norm: return {.vector = &Layer::attn_q_norm};
        case Role::attn_k_norm: return {.vector = &Layer::attn_k_norm};
        case Role::attn_q_bias: return {.vector = &Layer::attn_q_bias};
        case Role::attn_k_bias: return {.vector = &Layer::attn_k_bias};
        case Role::attn_v_bias: return {.vector = &Layer::attn_v_bias};
        case Role::attn_out_bias: return {.vector = &Layer::attn_out_bias};
        case Role::ffn_gate_bias: return {.vector = &Layer::ffn_gate_bias};
        case Role::ffn_up_bias: return {.vector = &Layer::ffn_up_bias};
        case Role::ffn_down_bias: return {.vector = &Layer::ffn_down_bias};
        // Not of a layer: bound by hand, or read with the configuration.
        case Role::token_embd:
        case Role::output_norm:
        case Role::output:
        case Role::rope_divisors:
        case Role::rope_long:
        case Role::rope_short: return {};
    }
    return {};
}

Result<const Codec*> decoder(const TensorView& view) {
    if (const Codec* found = codec(view.type)) return found;
    return Error{Code::unsupported, "tensor " + view.name + " is of type "
                                        + dtype_info(view.type).name
                                        + ", which this version of heft cannot compute with"};
}

Result<op::Weight> matrix(const Located& at) {
    HEFT_TRY([[maybe_unused]] const Codec* known, decoder(*at.view));
    HEFT_TRY(const std::uint64_t stride,
             row_bytes(at.view->type, static_cast<std::uint64_t>(at.cols)));
    op::Weight out;
    out.type = at.view->type;
    out.rows = at.rows;
    out.cols = at.cols;
    out.row_stride = static_cast<std::int64_t>(stride);
    out.data = at.view->data.data() + at.first_row * out.row_stride;
    return out;
}

Result<std::vector<float>> vector(const Located& at) {
    HEFT_TRY(const Codec* from, decoder(*at.view));
    if (dtype_info(at.view->type).block != 1)
        return Error{Code::unsupported,
                     "tensor " + at.view->name + " is quantised, as no norm or bias should be"};
    std::vector<float> out(static_cast<std::size_t>(at.rows));
    from->dequantise(at.view->data.data(), at.rows, out.data());
    switch (at.load) {
        case arch::Load::as_is: break;
        case arch::Load::plus_one:
            for (float& value : out) value += 1;
            break;
    }
    return out;
}

struct Binder {
    const format::Checkpoint& checkpoint;
    const arch::Config& config;
    Weights weights;

    Status bind(const arch::Tensor& tensor, int layer) {
        HEFT_TRY(const Located at, arch::locate(checkpoint, config, tensor, layer));
        if (at.view == nullptr) return {};
        if (arch::per_layer(tensor)) {
            Layer& target = weights.layers[static_cast<std::size_t>(layer)];
            const Place place = place_of(tensor.role);
            if (place.matrix != nullptr) {
                HEFT_TRY(target.*place.matrix, matrix(at));
            } else if (place.vector != nullptr) {
                HEFT_TRY(target.*place.vector, vector(at));
            }
        } else if (tensor.role == Role::token_embd) {
            HEFT_TRY(weights.embedding, matrix(at));
        } else if (tensor.role == Role::output) {
            HEFT_TRY(weights.output, matrix(at));
        } else if (tensor.role == Role::output_norm) {
            HEFT_TRY(weights.output_norm, vector(at));
        }
        return {};
    }
};

std::int64_t bytes_of(const op::Weight& weight) {
    return weight.rows * weight.row_stride;
}

}  // namespace

Result<Weights> bind_weights(const format::Checkpoint& checkpoint, const arch::Config& config) {
    // A layer has several tensors: a count that the file cannot hold is refused before allocating.
    if (static_cast<std::size_t>(config.n_layer) > checkpoint.tensors().size())
        return Error{Code::corrupt, "configuration has " + std::to_string(config.n_layer)
                                        + " layers, but there are only "
                                        + std::to_string(checkpoint.tensors().size()) + " tensors"};
    Binder binder{checkpoint, config, {}};
    binder.weights.layers.resize(static_cast<std::size_t>(config.n_layer));
    for (const arch::Tensor& tensor : config.family->tensors) {
        const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
        for (int layer = 0; layer < layers; ++layer) HEFT_OK(binder.bind(tensor, layer));
    }
    if (config.tied) binder.weights.output = binder.weights.embedding;
    if (const auto extra = arch::unplaced(checkpoint, config); !extra.empty())
        return Error{Code::unsupported,
                     "tensor " + extra.front() + " has no place in architecture "
                         + config.family->name + " (" + std::to_string(extra.size())
                         + " such in all): leaving it out would change the results"};
    return std::move(binder.weights);
}

std::int64_t bytes_per_token(const Weights& weights) {
    std::int64_t total = bytes_of(weights.output) + weights.embedding.row_stride;
    for (const Layer& layer : weights.layers)
        for (const op::Weight* weight :
             {&layer.attn_q, &layer.attn_k, &layer.attn_v, &layer.attn_out, &layer.ffn_gate,
              &layer.ffn_up, &layer.ffn_down})
            total += bytes_of(*weight);
    return total;
}

}  // namespace heft::model
