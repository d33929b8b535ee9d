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
    output_norm,
    output,
    attn_norm,
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
    ffn_norm,
    ffn_gate,
    ffn_up,
    ffn_down,
    ffn_gate_bias,
    ffn_up_bias,
    ffn_down_bias,
    rope_divisors,
    rope_long,
    rope_short,
};
inline constexpr int kRoles = static_cast<int>(Role::rope_short) + 1;

// Sizes that a shape is made of; their numbers come from the Config.
enum class Dim : std::uint8_t { none, vocab, model, q, kv, head, ff, rope_pairs };

// What is done to a Hugging Face tensor at loading. (GGUF files hold the result already.)
enum class Load : std::uint8_t { as_is, plus_one };

// "{}" in a name stands for the layer's number.
struct Tensor {
    Role role;
    const char* hf;    // nullptr: Hugging Face keeps this elsewhere (config.json)
    const char* gguf;  // nullptr: GGUF has no such tensor
    Dim rows;
    Dim cols = Dim::none;  // vectors have rows only
    bool optional = false;
    Load load = Load::as_is;
    // Of several matrices stored as one, rows one after the other: their row counts, and which of
    // them this is.
    std::array<Dim, 3> fused = {};
    int part = 0;
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

std::int64_t extent(Dim dim, const Config& config);
bool per_layer(const Tensor& tensor);
std::string tensor_name(const char* pattern, int layer);

// Where a tensor of the table stands in a checkpoint.
struct Located {
    const TensorView* view = nullptr;  // nullptr: optional and absent
    std::int64_t first_row = 0;
    std::int64_t rows = 0;
    std::int64_t cols = 1;
    Load load = Load::as_is;
};

// Finds it and checks its shape. Errors name the tensor and both shapes. A missing output matrix is
// absent when the config ties it to the embedding.
Result<Located> locate(const format::Checkpoint& checkpoint, const Config& config,
                       const Tensor& tensor, int layer);

// Tensors that belong to no row of the table: weights that would be left out of the computation.
// Buffers that need no loading (stored masks, rotary tables) are not among them.
std::vector<std::string> unplaced(const format::Checkpoint& checkpoint, const Config& config);

}  // namespace heft::arch
