// The tensors of a family, by the names that Hugging Face and GGUF give them: one table for
// loading, converting, merging and training.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "arch/arch.h"
#include "base/result.h"
#include "format/checkpoint.h"
#include "tensor/tensor.h"

namespace heft::arch {

enum class Role : std::uint8_t {
    token_embd,
    pos_embd,
    embd_norm,
    embd_norm_bias,
    output_norm,
    output_norm_bias,
    output,
    output_bias,
    attn_norm,
    attn_norm_bias,
    attn_q,
    attn_k,
    attn_v,
    attn_out,
    attn_q_bias,
    attn_k_bias,
    attn_v_bias,
    attn_out_bias,
    attn_q_norm,
    attn_k_norm,
    attn_sinks,
    attn_post_norm,
    latent_q_a,
    latent_q_norm,
    latent_q_b,
    latent_kv_a,
    latent_kv_norm,
    latent_k_b,         // [n_head * nope, kv_rank], as it was trained
    latent_k_b_turned,  // [n_head, kv_rank, nope], as it is used
    latent_v_b,
    ffn_norm,
    ffn_norm_bias,
    ffn_gate,
    ffn_up,
    ffn_down,
    ffn_gate_bias,
    ffn_up_bias,
    ffn_down_bias,
    ffn_post_norm,
    router,
    router_bias,
    router_choice_bias,  // added to the scores for choosing only
    expert_gate,
    expert_up,
    expert_down,
    expert_gate_bias,
    expert_up_bias,
    expert_down_bias,
    shared_gate,
    shared_up,
    shared_down,
    shared_router,
    rope_divisors,
    rope_long,
    rope_short,
};
inline constexpr int kRoles = static_cast<int>(Role::rope_short) + 1;

// Sizes that a shape is made of; their numbers come from the Config.
enum class Dim : std::uint8_t {
    none,
    one,
    vocab,
    ctx,
    model,
    q,         // n_head * d_head
    kv,        // n_kv * d_head
    value,     // n_head * d_value
    kv_value,  // n_kv * d_value
    head,
    heads,
    kv_heads,
    ff,
    rope_pairs,
    experts,
    expert_ff,
    shared_ff,
    latent_q,       // rank of the queries
    latent_kv,      // rank of keys and values
    latent_kv_a,    // that, and the shared rotating part
    latent_nope,    // n_head times the entries of a head that do not rotate
    latent_head,    // those of one head
    latent_turned,  // n_head * rank
};

// What is done to a Hugging Face tensor at loading. (GGUF files hold the result already.)
enum class Load : std::uint8_t {
    as_is,
    plus_one,
    transposed,  // stored [in, out]
};

// The layers that have a tensor.
enum class On : std::uint8_t { every, dense, sparse };

// Of several matrices stored as one: the row counts of all, which of them this is, and how many
// units their rows come in: unit by unit, each with its share of the rows of every part.
struct Fused {
    std::array<Dim, 3> parts = {};
    int part = 0;
    Dim units = Dim::one;
};

// "{}" in a name stands for the layer's number, a second one for the expert's.
struct Tensor {
    Role role;
    const char* hf;    // nullptr: Hugging Face keeps this elsewhere (config.json)
    const char* gguf;  // nullptr: GGUF has no such tensor
    Dim rows;
    Dim cols = Dim::none;  // vectors have rows only
    bool optional = false;
    Load load = Load::as_is;
    On on = On::every;
    bool per_expert = false;  // the expert is the name's second number, or the first dimension
    Dim split = Dim::none;    // rows are stored as two dimensions, this the first
    Fused fused = {};         // in Hugging Face files
    Fused gguf_fused = {};
};

template <std::size_t... sizes>
constexpr auto join(const std::array<Tensor, sizes>&... tables) {
    std::array<Tensor, (sizes + ...)> all{};
    std::size_t at = 0;
    const auto append = [&](const auto& table) {
        for (const Tensor& tensor : table) all[at++] = tensor;
    };
    (append(tables), ...);
    return all;
}

// Whether its files may have such a tensor.
bool has_role(const Family& family, Role role);

std::int64_t extent(Dim dim, const Config& config);
bool per_layer(const Tensor& tensor);
// Whether the tensor belongs to a layer of this number (any, for those of no layer).
bool in_layer(const Tensor& tensor, const Config& config, int layer);
std::string tensor_name(const char* pattern, int layer, int expert = 0);
// How many tensors of the name the checkpoint has in a layer: one, or one per expert.
int copies(const char* pattern, const Config& config);

// Rows of a fused matrix, one part's: row r stands at `first` of unit r / unit_rows.
struct RowWalk {
    std::int64_t first = 0;
    std::int64_t unit_rows = 1;
    std::int64_t unit_stride = 1;
    std::int64_t units = 1;
    std::int64_t operator()(std::int64_t row) const {
        return first + row / unit_rows * unit_stride + row % unit_rows;
    }
};
RowWalk row_walk(const Fused& fused, std::int64_t rows, const Config& config);

// Where a tensor of the table stands in a checkpoint.
struct Located {
    const TensorView* view = nullptr;  // nullptr: optional and absent
    std::int64_t rows = 0;
    std::int64_t cols = 1;
    Load load = Load::as_is;
    RowWalk walk;
    std::int64_t stored_rows = 0;  // of the whole matrix that it is part of
    std::int64_t expert = 0;       // which matrix of the stack

    // The row of the view (or column, if it is transposed, of the expert's matrix).
    std::int64_t source_row(std::int64_t row) const { return walk(row); }
    bool contiguous() const { return walk.units == 1; }
};

// Finds it and checks its shape. Errors name the tensor and both shapes. A missing output matrix is
// absent when the config ties it to the embedding. Absent, too, is what another row of the table
// has under the same role.
Result<Located> locate(const format::Checkpoint& checkpoint, const Config& config,
                       const Tensor& tensor, int layer, int expert = 0);

// Tensors that belong to no row of the table: weights that would be left out of the computation.
// Buffers that need no loading (stored masks, rotary tables) and encoders of pictures and sounds
// are not among them.
std::vector<std::string> unplaced(const format::Checkpoint& checkpoint, const Config& config);

}  // namespace heft::arch
