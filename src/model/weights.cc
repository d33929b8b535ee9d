#include "model/weights.h"

#include <algorithm>
#include <cmath>

#include "arch/tensors.h"
#include "model/stored_rows.h"

namespace heft::model {

namespace {

using arch::Located;
using arch::Role;

// Where a tensor of the table goes: a matrix or a vector.
struct Place {
    op::Weight* matrix = nullptr;
    Floats* vector = nullptr;

    explicit Place(op::Weight& to) : matrix(&to) {}
    explicit Place(Floats& to) : vector(&to) {}
    Place() = default;
};

Place place_in_model(Weights& w, Role role) {
    switch (role) {
        case Role::token_embd: return Place(w.embedding.weight);
        case Role::pos_embd: return Place(w.positions);
        case Role::embd_norm: return Place(w.embedding_norm.weight);
        case Role::embd_norm_bias: return Place(w.embedding_norm.bias);
        case Role::output: return Place(w.output.weight);
        case Role::output_bias: return Place(w.output.bias);
        case Role::output_norm: return Place(w.output_norm.weight);
        case Role::output_norm_bias: return Place(w.output_norm.bias);
        default: return {};  // rope's tensors are read with the configuration
    }
}

Place place_in_attention(Layer& l, Role role) {
    switch (role) {
        case Role::attn_norm: return Place(l.attn_norm.weight);
        case Role::attn_norm_bias: return Place(l.attn_norm.bias);
        case Role::attn_post_norm: return Place(l.attn_post_norm.weight);
        case Role::attn_q: return Place(l.attn_q.weight);
        case Role::attn_q_bias: return Place(l.attn_q.bias);
        case Role::attn_k: return Place(l.attn_k.weight);
        case Role::attn_k_bias: return Place(l.attn_k.bias);
        case Role::attn_v: return Place(l.attn_v.weight);
        case Role::attn_v_bias: return Place(l.attn_v.bias);
        case Role::attn_out: return Place(l.attn_out.weight);
        case Role::attn_out_bias: return Place(l.attn_out.bias);
        case Role::attn_q_norm: return Place(l.attn_q_norm.weight);
        case Role::attn_k_norm: return Place(l.attn_k_norm.weight);
        case Role::attn_sinks: return Place(l.attn_sinks);
        case Role::latent_q_a: return Place(l.latent.q_a.weight);
        case Role::latent_q_norm: return Place(l.latent.q_norm.weight);
        case Role::latent_q_b: return Place(l.latent.q_b.weight);
        case Role::latent_kv_a: return Place(l.latent.kv_a.weight);
        case Role::latent_kv_norm: return Place(l.latent.kv_norm.weight);
        case Role::latent_k_b: return Place(l.latent.k_b_stored);
        case Role::latent_k_b_turned: return Place(l.latent.k_b_turned);
        case Role::latent_v_b: return Place(l.latent.v_b_stored);
        default: return {};
    }
}

Place place_in_ffn(Layer& l, Role role) {
    switch (role) {
        case Role::ffn_norm: return Place(l.ffn_norm.weight);
        case Role::ffn_norm_bias: return Place(l.ffn_norm.bias);
        case Role::ffn_post_norm: return Place(l.ffn_post_norm.weight);
        case Role::ffn_gate: return Place(l.ffn.gate.weight);
        case Role::ffn_gate_bias: return Place(l.ffn.gate.bias);
        case Role::ffn_up: return Place(l.ffn.up.weight);
        case Role::ffn_up_bias: return Place(l.ffn.up.bias);
        case Role::ffn_down: return Place(l.ffn.down.weight);
        case Role::ffn_down_bias: return Place(l.ffn.down.bias);
        case Role::router: return Place(l.router.weight);
        case Role::router_bias: return Place(l.router.bias);
        case Role::router_choice_bias: return Place(l.router_choice_bias);
        case Role::shared_gate: return Place(l.shared.gate.weight);
        case Role::shared_up: return Place(l.shared.up.weight);
        case Role::shared_down: return Place(l.shared.down.weight);
        case Role::shared_router: return Place(l.shared_router.weight);
        default: return {};
    }
}

Place place_in_expert(Layer& l, Role role, int expert) {
    if (l.experts.size() <= static_cast<std::size_t>(expert))
        l.experts.resize(static_cast<std::size_t>(expert) + 1);
    Ffn& ffn = l.experts[static_cast<std::size_t>(expert)];
    switch (role) {
        case Role::expert_gate: return Place(ffn.gate.weight);
        case Role::expert_gate_bias: return Place(ffn.gate.bias);
        case Role::expert_up: return Place(ffn.up.weight);
        case Role::expert_up_bias: return Place(ffn.up.bias);
        case Role::expert_down: return Place(ffn.down.weight);
        case Role::expert_down_bias: return Place(ffn.down.bias);
        default: return {};
    }
}

Place place_in_layer(Layer& layer, Role role) {
    const Place in_attention = place_in_attention(layer, role);
    if (in_attention.matrix != nullptr || in_attention.vector != nullptr) return in_attention;
    return place_in_ffn(layer, role);
}

struct Binder {
    const format::Checkpoint& checkpoint;
    const arch::Config& config;
    Weights weights;

    Place place(const arch::Tensor& tensor, int layer, int expert) {
        if (!arch::per_layer(tensor)) return place_in_model(weights, tensor.role);
        Layer& target = weights.layers[static_cast<std::size_t>(layer)];
        if (tensor.per_expert) return place_in_expert(target, tensor.role, expert);
        return place_in_layer(target, tensor.role);
    }

    op::Weight keep(Matrix matrix) {
        if (matrix.owned != nullptr) weights.owned.push_back(std::move(matrix.owned));
        return matrix.weight;
    }

    Status bind(const arch::Tensor& tensor, int layer) {
        const int count = tensor.per_expert ? config.experts.n : 1;
        for (int expert = 0; expert < count; ++expert) {
            HEFT_TRY(const Located at, arch::locate(checkpoint, config, tensor, layer, expert));
            if (at.view == nullptr) return {};
            const Place to = place(tensor, layer, expert);
            // Of several rows of a role, the first that the file has counts.
            if (to.matrix != nullptr && to.matrix->data == nullptr) {
                HEFT_TRY(Matrix matrix, read_matrix(at));
                *to.matrix = keep(std::move(matrix));
                weights.matrices.push_back({&tensor, layer, expert});
                if (at.view->input_order != nullptr) weights.orders.push_back(at.view->input_order);
            } else if (to.vector != nullptr && to.vector->empty()) {
                HEFT_TRY(*to.vector, read_vector(at));
            }
        }
        return {};
    }

    // One matrix per head, and the keys' turned round unless the file has them so.
    Status split_latent(Layer& layer) {
        LatentAttention& latent = layer.latent;
        const bool has_q = config.latent.q_rank > 0 ? latent.q_a.exists() && latent.q_b.exists()
                                                          && !latent.q_norm.weight.empty()
                                                    : layer.attn_q.exists();
        if (!has_q)
            return Error{Code::corrupt, "latent attention lacks the tensors of its queries"};
        if (latent.k_b_turned.data == nullptr && latent.k_b_stored.data != nullptr) {
            HEFT_TRY(Matrix turned, turn_blocks(latent.k_b_stored, config.n_head));
            latent.k_b_turned = keep(std::move(turned));
        }
        if (latent.k_b_turned.data == nullptr || latent.v_b_stored.data == nullptr)
            return Error{Code::corrupt, "latent attention lacks kv_b_proj (attn_k_b and attn_v_b)"};
        latent.k_b = per_head(latent.k_b_turned);
        latent.v_b = per_head(latent.v_b_stored);
        return {};
    }

    std::vector<op::Weight> per_head(const op::Weight& all) const {
        std::vector<op::Weight> out(static_cast<std::size_t>(config.n_head), all);
        const std::int64_t rows = all.rows / config.n_head;
        const std::byte* at = all.data;
        for (op::Weight& head : out) {
            head.rows = rows;
            head.data = at;
            at += rows * all.row_stride;
        }
        return out;
    }
};

std::int64_t bytes_of(const op::Weight& weight) {
    return weight.data == nullptr ? 0 : weight.rows * weight.row_stride;
}

std::int64_t bytes_of(const Ffn& ffn) {
    return bytes_of(ffn.gate.weight) + bytes_of(ffn.up.weight) + bytes_of(ffn.down.weight);
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
    if (config.latent.kv_rank > 0)
        for (Layer& layer : binder.weights.layers) HEFT_OK(binder.split_latent(layer));
    if (config.tied) binder.weights.output.weight = binder.weights.embedding.weight;
    if (const auto extra = arch::unplaced(checkpoint, config); !extra.empty())
        return Error{Code::unsupported,
                     "tensor " + extra.front() + " has no place in architecture "
                         + config.family->name + " (" + std::to_string(extra.size())
                         + " such in all): leaving it out would change the results"};
    return std::move(binder.weights);
}

const op::Weight* matrix_of(Weights& weights, Role role, int layer, int expert) {
    if (role == Role::output) return &weights.output.weight;
    if (static_cast<std::size_t>(layer) >= weights.layers.size()) return nullptr;
    Layer& in = weights.layers[static_cast<std::size_t>(layer)];
    switch (role) {
        case Role::latent_k_b:
        case Role::latent_k_b_turned:
        case Role::latent_v_b: return nullptr;
        case Role::expert_gate:
        case Role::expert_up:
        case Role::expert_down:
            if (static_cast<std::size_t>(expert) >= in.experts.size()) return nullptr;
            return place_in_expert(in, role, expert).matrix;
        default: return place_in_layer(in, role).matrix;
    }
}

std::vector<MatrixName> matrix_names(Weights& weights, const arch::Config& config) {
    std::vector<MatrixName> out;
    for (const Bound& bound : weights.matrices) {
        const arch::Tensor& row = *bound.row;
        if (row.gguf == nullptr || row.gguf_fused.part != 0) continue;
        const std::string name = arch::tensor_name(row.gguf, bound.layer, bound.expert);
        if (row.split == arch::Dim::heads) {
            LatentAttention& latent = weights.layers[static_cast<std::size_t>(bound.layer)].latent;
            const auto& heads = row.role == Role::latent_v_b ? latent.v_b : latent.k_b;
            for (std::size_t h = 0; h < heads.size(); ++h)
                out.push_back({&heads[h], name, static_cast<int>(h), config.n_head});
            continue;
        }
        const op::Weight* weight = matrix_of(weights, row.role, bound.layer, bound.expert);
        if (weight == nullptr) continue;  // looked up, or turned round and taken apart
        const bool stacked = row.per_expert && arch::copies(row.gguf, config) == 1;
        out.push_back({weight, name, stacked ? bound.expert : 0, stacked ? config.experts.n : 1});
    }
    if (config.tied) out.push_back({&weights.output.weight, "token_embd.weight"});
    return out;
}

double bytes_per_pass(const Weights& weights, const arch::Config& config, double n_tokens) {
    std::int64_t dense = bytes_of(weights.output.weight);
    std::int64_t one_expert_each = 0;
    for (const Layer& layer : weights.layers) {
        for (const op::Weight* weight :
             {&layer.attn_q.weight, &layer.attn_k.weight, &layer.attn_v.weight,
              &layer.attn_out.weight, &layer.latent.q_a.weight, &layer.latent.q_b.weight,
              &layer.latent.kv_a.weight, &layer.latent.k_b_turned, &layer.latent.v_b_stored,
              &layer.router.weight, &layer.shared_router.weight})
            dense += bytes_of(*weight);
        dense += bytes_of(layer.ffn) + bytes_of(layer.shared);
        if (!layer.experts.empty()) one_expert_each += bytes_of(layer.experts.front());
    }
    const double n = std::max(config.experts.n, 1);
    const double missed = std::pow(1 - config.experts.n_used / n, n_tokens);  // by every token
    return static_cast<double>(dense)
           + n_tokens * static_cast<double>(weights.embedding.weight.row_stride)
           + n * (1 - missed) * static_cast<double>(one_expert_each);
}

}  // namespace heft::model
