// What a model is: one row of choices per family, and the numbers of one checkpoint. Data only; the
// planner, the converter and the trainer read the same description as the decoder.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/checkpoint.h"

namespace heft::arch {

enum class Pairs : std::uint8_t { half, neighbour };  // which entries of a head rotate together
enum class Act : std::uint8_t { silu, gelu_tanh, gelu_erf };
enum class QkNorm : std::uint8_t { none, head };  // whether each head of q and k is normed
enum class Scaling : std::uint8_t { none, linear, llama3, yarn, longrope };
enum class Window : std::uint8_t { none, every, upper_layers };  // which layers may slide

struct Tensor;  // arch/tensors.h
struct Config;
class ConfigSource;  // arch/config_source.h

// One model family, as data. A new family is a new table row; a new idea is a new enum value.
struct Family {
    const char* name;  // Hugging Face model_type
    const char* gguf;  // GGUF general.architecture
    std::span<const Tensor> tensors;
    QkNorm qk_norm = QkNorm::none;
    Act act = Act::silu;  // when the config names none
    Window window = Window::none;
    bool scale_embedding = false;      // embeddings times sqrt(d_model)
    bool gguf_interleaves_qk = false;  // GGUF files store q and k rows for neighbouring pairs
    bool tied_by_default = false;      // when the config does not say
    // Reads what only this family's config has; may be nullptr.
    Status (*refine)(const ConfigSource& source, Config& config) = nullptr;
};

std::span<const Family* const> families();

struct Rope {
    double theta = 10000;
    int dim = 0;  // how many entries of a head are rotated
    Pairs pairs = Pairs::half;
    Scaling scaling = Scaling::none;
    double factor = 1;
    double low_freq_factor = 1, high_freq_factor = 4;  // llama3
    double beta_fast = 32, beta_slow = 1;              // yarn
    double magnitude = 0;           // cos and sin times this; 0: by the scaling's rule
    std::int64_t original_ctx = 0;  // trained length; 0: unknown
    std::vector<float> short_factors, long_factors;  // longrope, one per pair
    std::vector<float> divisors;                     // frequencies over these (GGUF rope_freqs)

    int pairs_count() const { return dim / 2; }
};

// The numbers of one checkpoint. Names: docs/names.md.
struct Config {
    const Family* family = nullptr;
    int d_model = 0;
    int n_layer = 0;
    int n_head = 0;
    int n_kv = 0;
    int d_head = 0;
    int d_ff = 0;
    int n_vocab = 0;
    std::int64_t n_ctx = 0;  // longest context the model was made for
    float norm_eps = 1e-5F;
    float attn_scale = 0;  // scores times this
    float embedding_scale = 1;
    int window = 0;             // keys that a sliding layer sees, its own included; 0: all
    std::vector<bool> sliding;  // per layer: whether `window` applies; empty when window is 0
    bool tied = false;          // the output matrix is the embedding matrix
    Act act = Act::silu;
    Rope rope;
};

// Reads config.json or GGUF metadata into the one description, and checks that the numbers make
// sense. Unknown architectures are Code::unsupported, with the known ones named.
Result<Config> read_config(const format::Checkpoint& checkpoint);

// How many weights all tensors of the checkpoint hold.
std::int64_t parameter_count(const format::Checkpoint& checkpoint);

// Rotation frequencies in radians per position, one per pair, and the factor on cos and sin.
// `long_context`: whether longrope's long factors apply.
struct RopeTable {
    std::vector<double> frequency;
    double magnitude = 1;
};
RopeTable rope_table(const Rope& rope, std::int64_t n_ctx, bool long_context);

}  // namespace heft::arch
